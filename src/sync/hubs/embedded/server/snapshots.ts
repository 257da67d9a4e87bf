import fs from 'node:fs';
import path from 'node:path';
import { systemCode } from '../../../../disk/journal/disk-error.ts';
import type { HubSnapshot } from '../../../hub.ts';
import { ensureSyncedDirectory, readWholeFile, writeWholeFile } from './place.ts';

/** The file of a snapshot is named by its position. */
const POSITION = /^(0|[1-9][0-9]{0,15})$/;

/** The snapshots of one log: of several files the one with the highest position is the kept one. */
export class Snapshots {
  readonly #directory: string;
  readonly #draft: () => string;
  #kept: number | null | undefined;

  constructor(log: string, draft: () => string) {
    this.#directory = path.join(log, 'snapshots');
    this.#draft = draft;
  }

  /** The position of the kept one; null when there is none. */
  get position(): number | null {
    return (this.#kept ??= this.#list().at(-1) ?? null);
  }

  #list(): number[] {
    try {
      return fs.readdirSync(this.#directory).filter((name) => POSITION.test(name)).map(Number).sort((a, b) => a - b);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return [];
      throw error;
    }
  }

  async get(): Promise<HubSnapshot | null> {
    for (;;) {
      const { position } = this;
      if (position === null) return null;
      const bytes = await readWholeFile(this.#file(position));
      if (bytes !== null) return { position, bytes };
      // A newer one has taken its place meanwhile; if not, somebody has deleted it, and the list tells what is left.
      if (position === this.#kept) this.#kept = undefined;
    }
  }

  /** Keeps a snapshot unless there is one as high. */
  async put({ position, bytes }: HubSnapshot): Promise<void> {
    if (position <= (this.position ?? -1)) return;
    ensureSyncedDirectory(this.#directory);
    await writeWholeFile(this.#draft(), this.#file(position), bytes);
    if (position > (this.position ?? -1)) this.#kept = position;
    this.#removeLower();
  }

  /** Best effort: what stays is removed after the next one. */
  #removeLower(): void {
    const { position } = this;
    try {
      for (const other of this.#list()) if (other < (position ?? 0)) fs.rmSync(this.#file(other), { force: true });
    } catch {
      // The highest one counts, whatever stands beside it.
    }
  }

  #file(position: number): string {
    return path.join(this.#directory, String(position));
  }
}
