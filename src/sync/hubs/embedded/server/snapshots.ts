import fs from 'node:fs';
import path from 'node:path';
import { systemCode } from '../../../../disk/journal/disk-error.ts';
import type { HubSnapshot } from '../../../hub.ts';
import { ensureSyncedDirectory, type LogPlaces } from './place.ts';

/** The file of a snapshot is named by its position. */
const POSITION = /^(0|[1-9][0-9]{0,15})$/;

/**
 * The snapshots of one log: of several files the one with the highest position is the kept one. One beyond the log's
 * head, as only a hub of an earlier version took, or one whose journal was restored without it, counts for nothing.
 */
export class Snapshots {
  readonly #directory: string;
  readonly #places: LogPlaces;
  readonly #head: () => number;
  #kept: number | null | undefined;

  /** @param head - the position of the log's head now */
  constructor(log: string, places: LogPlaces, head: () => number) {
    this.#directory = path.join(log, 'snapshots');
    this.#places = places;
    this.#head = head;
  }

  /** The position of the kept one; null when there is none. */
  get position(): number | null {
    return (this.#kept ??= this.#list().at(-1) ?? null);
  }

  /** In order. */
  #list(): number[] {
    const head = this.#head();
    return this.#files().filter((position) => position <= head).sort((a, b) => a - b);
  }

  #files(): number[] {
    try {
      return fs.readdirSync(this.#directory).filter((name) => POSITION.test(name)).map(Number);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return [];
      throw error;
    }
  }

  /** @param admit - as of `LogPlaces.read` */
  async get(admit: (bytes: number) => void): Promise<HubSnapshot | null> {
    for (;;) {
      const { position } = this;
      if (position === null) return null;
      const bytes = await this.#places.read(this.#file(position), admit);
      if (bytes !== null) return { position, bytes };
      // A newer one has taken its place meanwhile; if not, somebody has deleted it, and the list tells what is left.
      if (position === this.#kept) this.#kept = undefined;
    }
  }

  /** Keeps a snapshot, which is not beyond the head, unless there is one as high. */
  async put({ position, bytes }: HubSnapshot): Promise<void> {
    if (position <= (this.position ?? -1)) return;
    ensureSyncedDirectory(this.#directory);
    await this.#places.write(this.#file(position), bytes);
    if (position > (this.position ?? -1)) this.#kept = position;
    this.#removeOthers();
  }

  /** Best effort: what stays is removed after the next one. */
  #removeOthers(): void {
    const { position } = this;
    const head = this.#head();
    try {
      for (const other of this.#files()) if (other < (position ?? 0) || other > head) fs.rmSync(this.#file(other), { force: true });
    } catch {
      // The highest one counts, whatever stands beside it.
    }
  }

  #file(position: number): string {
    return path.join(this.#directory, String(position));
  }
}
