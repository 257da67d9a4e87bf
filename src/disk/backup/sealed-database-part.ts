import fs from 'node:fs';
import path from 'node:path';
import { nextTurn } from '../../runtime/timers.ts';
import type { BucketPlace, PlaceKeys } from '../place.ts';
import type { WriterClaim } from '../records/database-locks.ts';
import type { BucketLocks } from '../records/locks/bucket-locks.ts';
import { markOf, type DatabaseCode } from './database-part.ts';
import { namesIn } from './entries.ts';
import { Moved, type Part } from './part.ts';

/**
 * A database of an encrypted origin, by its bytes. From before the moment until they are copied nobody writes to it; what a
 * killed writer has left in its journal is copied too, and undone by whoever opens the copy.
 */
export class SealedDatabasePart implements Part {
  readonly directory: string;
  readonly #code: DatabaseCode;
  readonly #keys: PlaceKeys;
  readonly #locks: BucketLocks;
  #claim: WriterClaim | null = null;

  constructor(directory: string, code: DatabaseCode, bucket: BucketPlace, keys: PlaceKeys) {
    this.directory = directory;
    this.#code = code;
    this.#keys = keys;
    this.#locks = new code.BucketLocks({ ...bucket, encryption: keys });
  }

  async open(): Promise<void> {
    const description = this.#code.readDescription(this.directory, this.#keys.descriptions);
    if (description === null) throw new Error('Nothing says which database it is.');
    this.#claim = this.#locks.read(description.name);
    await this.#claim.granted;
  }

  position(): string {
    if (this.#claim?.isLost !== false) throw new Moved(this.directory);
    return markOf(this.directory, Infinity) ?? '';
  }

  settle(): boolean {
    return true;
  }

  /** Copies what it was at the moment into a directory that is there. @throws Moved */
  async take(target: string): Promise<void> {
    await this.#copyFiles(this.directory, target);
    if (this.#claim?.isLost !== false || !fs.existsSync(this.directory)) throw new Moved(this.directory);
    this.#claim.release();
    this.#claim = null;
  }

  async #copyFiles(from: string, to: string): Promise<void> {
    for (const name of namesIn(from)) {
      const [source, copy] = [path.join(from, name), path.join(to, name)];
      if (fs.lstatSync(source, { throwIfNoEntry: false })?.isDirectory() === true) {
        fs.mkdirSync(copy, { mode: 0o700 });
        await this.#copyFiles(source, copy);
      } else fs.copyFileSync(source, copy, fs.constants.COPYFILE_FICLONE);
      await nextTurn();
    }
  }

  async close(): Promise<void> {
    this.#claim?.release();
    this.#claim = null;
    await this.#locks.close();
  }
}
