import type { EncodedKey } from './key.ts';
import type { IndexKeys } from './record-database.ts';
import { RecordsDamagedError } from './records-error.ts';

/*
 * The two small lists that a record has beside its key and value; docs/FORMAT.md, "IndexedDB". Numbers are written seven
 * bits a byte, lowest first.
 */

/** The file that a large value lies in. */
export interface ValueFile {
  readonly id: number;
  readonly size: number;
}

/** What files a record needs. */
export interface RecordFiles {
  /** Null: the value is in the record. */
  readonly value: ValueFile | null;
  /** Those that the value refers to. */
  readonly blobs: readonly number[];
}

export const NO_FILES: RecordFiles = { value: null, blobs: [] };

/** Null: the record needs none. */
export function writeFiles({ value, blobs }: RecordFiles): Uint8Array | null {
  if (value === null && blobs.length === 0) return null;
  const bytes: number[] = [];
  writeNumber(bytes, value?.id ?? 0);
  if (value !== null) writeNumber(bytes, value.size);
  for (const id of blobs) writeNumber(bytes, id);
  return Uint8Array.from(bytes);
}

export function readFiles(bytes: Uint8Array | null): RecordFiles {
  if (bytes === null) return NO_FILES;
  const reader = new NumberReader(bytes);
  const id = reader.number();
  const value = id === 0 ? null : { id, size: reader.number() };
  const blobs: number[] = [];
  while (!reader.isAtEnd) blobs.push(reader.number());
  return { value, blobs };
}

/** Every file once for each mention. */
export function filesOf({ value, blobs }: RecordFiles): readonly number[] {
  return value === null ? blobs : [value.id, ...blobs];
}

/** Null: the record has no keys in any index. */
export function writeIndexKeys(all: readonly IndexKeys[]): Uint8Array | null {
  let length = 0;
  for (const { index, keys } of all) {
    if (keys.length === 0) continue;
    length += lengthOf(index) + lengthOf(keys.length);
    for (const key of keys) length += lengthOf(key.length) + key.length;
  }
  if (length === 0) return null;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const { index, keys } of all) {
    if (keys.length === 0) continue;
    at = setNumber(bytes, setNumber(bytes, at, index), keys.length);
    for (const key of keys) {
      at = setNumber(bytes, at, key.length);
      bytes.set(key, at);
      at += key.length;
    }
  }
  return bytes;
}

export function readIndexKeys(bytes: Uint8Array | null): IndexKeys[] {
  if (bytes === null) return [];
  const reader = new NumberReader(bytes);
  const all: IndexKeys[] = [];
  while (!reader.isAtEnd) {
    const index = reader.number();
    const keys: EncodedKey[] = [];
    for (let count = reader.number(); count > 0; count--) keys.push(reader.bytes(reader.number()));
    all.push({ index, keys });
  }
  return all;
}

function writeNumber(bytes: number[], value: number): void {
  setNumber(bytes, bytes.length, value);
}

/** Bytes that a number takes. */
function lengthOf(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
  return length;
}

/** Gives where it ends. */
function setNumber(bytes: Uint8Array | number[], start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[at++] = (rest % 0x80) | 0x80;
  bytes[at++] = rest;
  return at;
}

class NumberReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** A safe integer. */
  number(): number {
    let value = 0;
    for (let unit = 1; ; unit *= 0x80) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw damaged();
      value += (byte & 0x7f) * unit;
      if (!Number.isSafeInteger(value)) throw damaged();
      if (byte < 0x80) return value;
    }
  }

  bytes(length: number): Uint8Array {
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) throw damaged();
    return this.#bytes.subarray(start, this.#at);
  }
}

function damaged(): RecordsDamagedError {
  return new RecordsDamagedError('What a record says of its index keys or files makes no sense.');
}
