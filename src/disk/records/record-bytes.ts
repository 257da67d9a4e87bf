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
  const parts: Uint8Array[] = [];
  let length = 0;
  const add = (part: Uint8Array): void => {
    parts.push(part);
    length += part.length;
  };
  for (const { index, keys } of all) {
    if (keys.length === 0) continue;
    add(numbers(index, keys.length));
    for (const key of keys) {
      add(numbers(key.length));
      add(key);
    }
  }
  return length === 0 ? null : joined(parts, length);
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

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function numbers(...values: number[]): Uint8Array {
  const bytes: number[] = [];
  for (const value of values) writeNumber(bytes, value);
  return Uint8Array.from(bytes);
}

function writeNumber(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
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
