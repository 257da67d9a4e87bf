import fs from 'node:fs';
import path from 'node:path';
import { errorMessage } from '../../runtime/errors.ts';
import type { CaptureContext } from './capture-context.ts';
import type { PlaceKeys } from '../place.ts';
import { type DatabaseCode, DatabasePart, markOf, RestingDatabase } from './database-part.ts';
import { isDirectoryAt, namesIn } from './entries.ts';
import { Moved, type Part } from './part.ts';
import { SealedDatabasePart } from './sealed-database-part.ts';

interface Open {
  readonly part: DatabasePart | SealedDatabasePart;
  readonly relative: string;
  readonly copy: string;
}

/** The databases of a bucket, on their way into a backup. */
export class DatabaseCaptures {
  readonly #bucket: string;
  readonly #relative: string;
  readonly #context: CaptureContext;
  readonly #keys: PlaceKeys | undefined;
  readonly #open: Open[] = [];
  readonly #resting: RestingDatabase[] = [];

  constructor(bucket: string, relative: string, context: CaptureContext) {
    this.#bucket = bucket;
    this.#relative = `${relative}/indexeddb/databases`;
    this.#context = context;
    this.#keys = context.keysOf?.(relative);
  }

  async open(): Promise<void> {
    const parent = path.join(this.#bucket, 'indexeddb/databases');
    if (isDirectoryAt(parent)) this.#context.taken.directories.push(this.#relative);
    for (const name of namesIn(parent)) {
      const directory = path.join(parent, name);
      // What is being made, or was deleted.
      if (!name.startsWith('.') && isDirectoryAt(directory)) await this.#openOne(directory, `${this.#relative}/${name}`);
    }
  }

  async #openOne(directory: string, relative: string): Promise<void> {
    const { taken, previous, now } = this.#context;
    const mark = markOf(directory, now);
    if (mark !== null) taken.marks.set(relative, mark);
    if (mark === null || previous.marks.get(relative) !== mark) return await this.#openChanged(directory, relative);
    this.#resting.push(new RestingDatabase(directory, mark));
    taken.directories.push(relative, `${relative}/blobs`);
    this.#context.keepBelow(relative);
  }

  /** One that cannot be opened is left out, and nothing else for it. */
  async #openChanged(directory: string, relative: string): Promise<void> {
    const { code, draft, taken } = this.#context;
    try {
      const part = this.#partOf(directory, await code.databases());
      const copy = draft.next();
      fs.mkdirSync(copy, { mode: 0o700 });
      try {
        await part.open(copy);
      } catch (error) {
        await part.close();
        throw error;
      }
      this.#open.push({ part, relative, copy });
    } catch (error) {
      if (!isDirectoryAt(directory)) throw new Moved(directory);
      taken.marks.delete(relative);
      taken.leftOut.set(relative, errorMessage(error));
    }
  }

  #partOf(directory: string, code: DatabaseCode): DatabasePart | SealedDatabasePart {
    const bucket = { path: this.#bucket, ensure: () => this.#requireBucket() };
    const keys = this.#keys;
    const description = code.readDescription(directory, keys?.descriptions);
    if (description === null) throw new Error('Nothing says which database it is.');
    // One whose name is another is from before the origin was encrypted.
    if (keys?.database(description.name).component === path.basename(directory)) return new SealedDatabasePart(directory, code, bucket, keys);
    return new DatabasePart(directory, description, code, { ...bucket, ...(keys && { encryption: keys }) });
  }

  #requireBucket(): void {
    if (!isDirectoryAt(this.#bucket)) throw new Moved(this.#bucket);
  }

  parts(): Part[] {
    return [...this.#open.map(({ part }) => part), ...this.#resting];
  }

  /** Copies what was seen at the moment. */
  async finish(): Promise<void> {
    const { taken } = this.#context;
    for (const { part, relative, copy } of this.#open) {
      await part.take(copy);
      await this.#context.walk().take(copy, relative);
      // One that was written to since has another mark, by which nobody would find what was copied.
      if (markOf(part.directory, Infinity) !== taken.marks.get(relative)) taken.marks.delete(relative);
    }
  }

  async close(): Promise<void> {
    for (const { part } of this.#open) await part.close();
  }
}
