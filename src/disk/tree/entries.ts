import fs from 'node:fs';
import { withDescriptor } from '../../runtime/descriptors.ts';
import type { EntryKind, Locator } from '../locator.ts';
import type { NameScript } from '../names/script.ts';
import { readName } from './long-names.ts';
import { kindOf } from './locate.ts';
import { systemCode, toTreeError } from './tree-error.ts';

/** Entries read ahead: a smaller directory keeps no descriptor open while its reader pauses. */
const READ_AHEAD = 1024;

/** Closes the directory of a reader that was dropped without being finished. */
const dropped = new FinalizationRegistry<fs.Dir>((directory) => directory.closeSync());

/**
 * Reads a directory as a stream, in no promised order, with bounded memory. Entries that come or go meanwhile may or
 * may not be seen; the others are seen exactly once. What is not plain, or has no name of ours, is left out.
 */
export class EntryReader implements IterableIterator<[name: string, kind: EntryKind]> {
  readonly #path: string;
  readonly #locator: Locator;
  readonly #script: NameScript;
  #directory: fs.Dir | null = null;
  #ahead: fs.Dirent[] = [];
  #next = 0;

  /** @throws the operating system's error when `path` cannot be opened as a directory. */
  constructor(path: string, locator: Locator, script: NameScript) {
    this.#path = path;
    this.#locator = locator;
    this.#script = script;
    this.#directory = withDescriptor(() => fs.opendirSync(path, { bufferSize: 256 }));
    dropped.register(this, this.#directory, this);
    this.#readAhead();
  }

  next(): IteratorResult<[name: string, kind: EntryKind], undefined> {
    try {
      return this.#advance();
    } catch (error) {
      this.return();
      throw toTreeError(error, this.#locator, 'read');
    }
  }

  #advance(): IteratorResult<[name: string, kind: EntryKind], undefined> {
    for (let entry = this.#take(); entry !== undefined; entry = this.#take()) {
      const kind = kindOf(entry);
      const name = kind === null ? null : readName(this.#path, entry.name, this.#script);
      if (kind !== null && name !== null) return { done: false, value: [name, kind] };
    }
    return { done: true, value: undefined };
  }

  return(): IteratorResult<[name: string, kind: EntryKind], undefined> {
    this.#ahead = [];
    this.#close();
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }

  #take(): fs.Dirent | undefined {
    if (this.#next === this.#ahead.length) this.#readAhead();
    return this.#ahead[this.#next++];
  }

  #readAhead(): void {
    this.#ahead = [];
    this.#next = 0;
    while (this.#directory !== null && this.#ahead.length < READ_AHEAD) {
      const entry = this.#directory.readSync();
      if (entry === null) this.#close();
      else this.#ahead.push(entry);
    }
  }

  #close(): void {
    if (this.#directory === null) return;
    dropped.unregister(this);
    this.#directory.closeSync();
    this.#directory = null;
  }
}

/** The entries of a directory, see {@link EntryReader}; where they get other names meanwhile, also exactly once. */
export function entriesIn(path: string, locator: Locator, script: NameScript): IterableIterator<[name: string, kind: EntryKind]> {
  if (script.before === undefined) return new EntryReader(path, locator, script);
  // What is renamed while the first one reads, and missed by it, has its last name before the second begins.
  return new Map([1, 2].flatMap(() => [...new EntryReader(path, locator, script)])).entries();
}

/** All that is in a directory, of ours or not; nothing when the directory is gone, or deeper than a path can be long. */
export function* childrenOf(directory: string): Iterable<fs.Dirent> {
  let opened: fs.Dir;
  try {
    opened = withDescriptor(() => fs.opendirSync(directory, { bufferSize: 256 }));
  } catch (error) {
    if (['ENOENT', 'ENAMETOOLONG'].includes(systemCode(error) ?? '')) return;
    throw error;
  }
  try {
    for (let entry = opened.readSync(); entry !== null; entry = opened.readSync()) yield entry;
  } finally {
    opened.closeSync();
  }
}
