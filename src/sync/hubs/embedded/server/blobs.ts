import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { systemCode } from '../../../../disk/journal/disk-error.ts';
import { HoldfastError } from '../../../../runtime/holdfast-error.ts';
import { wallClock } from '../../../../runtime/timers.ts';
import { ensureSyncedDirectory, type LogPlaces } from './place.ts';
import { Turns } from './turns.ts';
import type { Uploads } from './uploads.ts';

/** A blob's time is set anew when it is used, but not more often than this, in milliseconds. */
const TOUCH_MS = 3_600_000;

/** Positions that are remembered; each takes some hundred bytes. */
const MOST_NAMED = 2 ** 16;

const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/**
 * The blobs of one log: files named by their digest, in directories of its first byte. The time of a file is when the
 * blob was used the last time. Invariants:
 * - An entry whose append named a blob is in the log only while the blob is here: looking for it, appending, and
 *   noting the position are one step of this thread, and so is each removal.
 * - A blob is removed only if whoever asks for that knows every entry that has named it since this server started, and
 *   where the head was then: before `#floor` nobody has noted anything.
 */
export class Blobs {
  readonly #log: string;
  readonly #directory: string;
  readonly #places: LogPlaces;
  readonly #uploads: Uploads;
  /** The position of the last entry whose append named a blob, since the head was at `#floor`. */
  readonly #named = new Map<string, number>();
  #floor: number | null = null;

  /** @param directory the log's, which is called `log` */
  constructor(log: string, directory: string, { places, uploads }: { readonly places: LogPlaces; readonly uploads: Uploads }) {
    this.#log = log;
    this.#directory = path.join(directory, 'blobs');
    this.#places = places;
    this.#uploads = uploads;
  }

  /** From here on it hears of every append; `head` is where the log is. Only the first call has effect. */
  begin(head: number): void {
    this.#floor ??= head;
  }

  /** @throws HoldfastError `hub-damaged` when these are not the bytes of that name, `hub-full` when its writer has put too much */
  async put(name: string, bytes: Uint8Array, writer: string): Promise<void> {
    if (createHash('sha256').update(bytes).digest('hex') !== name) {
      throw new HoldfastError('hub-damaged', `The bytes that came for blob ${name} have another SHA-256.`);
    }
    if (this.has(name)) return;
    const isNew = this.#uploads.charge(writer, this.#log, name, bytes.length);
    try {
      const file = this.#file(name);
      ensureSyncedDirectory(path.dirname(file));
      await this.#places.write(file, bytes);
    } catch (error) {
      if (isNew) this.#uploads.settle(this.#log, [name]);
      throw error;
    }
  }

  /** @param admit - as of `LogPlaces.read` */
  get(name: string, admit: (bytes: number) => void): Promise<Uint8Array | null> {
    return this.#places.read(this.#file(name), admit);
  }

  /** Whether it is here, which is a use of it. */
  has(name: string): boolean {
    const file = this.#file(name);
    const time = timeOf(file);
    if (time === null) return false;
    const now = wallClock();
    if (Math.abs(now - time) > TOUCH_MS) fs.utimesSync(file, now / 1000, now / 1000);
    return true;
  }

  /** Those of the names that are here; gives way to others in between. */
  async among(names: readonly string[]): Promise<string[]> {
    const turns = new Turns();
    const found: string[] = [];
    for (const name of names) {
      if (this.has(name)) found.push(name);
      await turns.next();
    }
    return found;
  }

  /** Entries up to the position, which is the head, name these blobs. */
  name(names: readonly string[], position: number): void {
    this.#uploads.settle(this.#log, names);
    for (const name of names) this.#named.set(name, position);
    if (this.#named.size <= MOST_NAMED) return;
    this.#named.clear();
    this.#floor = position;
  }

  /** Names after one, in order, of blobs that were not used for so many milliseconds; no more than `most`. */
  async unused(unusedFor: number, after: string, most: number): Promise<string[]> {
    const turns = new Turns();
    const found: string[] = [];
    for (const digits of DIGITS.filter((each) => each >= after.slice(0, 2))) {
      for (const name of namesIn(path.join(this.#directory, digits))) {
        if (name > after && this.#isUnused(name, unusedFor)) found.push(name);
        if (found.length === most) return found;
        await turns.next();
      }
    }
    return found;
  }

  /** Removes those that lie unused and that no entry after the position has named; how many those were. */
  async remove(names: readonly string[], position: number, unusedFor: number): Promise<number> {
    const turns = new Turns();
    let count = 0;
    for (const name of names) {
      // In between others may have named some of them.
      if (this.#mayGo(name, position, unusedFor) && removed(this.#file(name))) {
        this.#uploads.settle(this.#log, [name]);
        count += 1;
      }
      await turns.next();
    }
    return count;
  }

  #mayGo(name: string, position: number, unusedFor: number): boolean {
    if (this.#floor === null || position < this.#floor) return false;
    return (this.#named.get(name) ?? 0) <= position && this.#isUnused(name, unusedFor);
  }

  #isUnused(name: string, unusedFor: number): boolean {
    const time = timeOf(this.#file(name));
    return time !== null && wallClock() - Math.floor(time) >= unusedFor;
  }

  /** `name`: 64 hexadecimal digits. */
  #file(name: string): string {
    return path.join(this.#directory, name.slice(0, 2), name);
  }
}

/** When a file was changed the last time; null where there is none. */
function timeOf(file: string): number | null {
  return fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? null;
}

function namesIn(directory: string): string[] {
  try {
    return fs.readdirSync(directory).sort();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

function removed(file: string): boolean {
  try {
    fs.unlinkSync(file);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}
