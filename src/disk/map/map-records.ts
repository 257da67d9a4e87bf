import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { PayloadReader } from '../journal/payload-reader.ts';
import { PayloadWriter } from '../journal/payload-writer.ts';

/*
 * The payloads of a map's records. docs/FORMAT.md, "Maps", is the same in words.
 *
 *   SET      flags, [url], key, value
 *   REMOVE   flags, [url], key
 *   CLEAR    flags, [url]
 *   LIMIT    quota in bytes
 *   RULES    version of the rules by which records are applied
 *   ENTRIES  any number of: flags, key, value         (in snapshots only)
 *   COMPARE  flags, [url], key, [expected], [value]
 *   BARRIER  nothing
 *   ADD      flags, [url], key, value                 (among pending operations and in entries of a hub only)
 *   BATCH    see map-batch.ts
 */
export const SET = 1;
export const REMOVE = 2;
export const CLEAR = 3;
export const LIMIT = 4;
export const RULES = 5;
export const ENTRIES = 6;
export const COMPARE = 7;
export const BARRIER = 8;
export const ADD = 9;
export const BATCH = 10;

/** Whether records of this kind are operations, which regions exchange. */
export function isOperation(kind: number): boolean {
  return kind === SET || kind === REMOVE || kind === CLEAR || kind === LIMIT || kind === COMPARE || kind === BARRIER || kind === ADD || kind === BATCH;
}

/** The rules that this code knows. */
export const RULES_VERSION = 1;

const KEY_WIDE = 1;
const VALUE_WIDE = 2;
/** A url is there; without it, the writer's url was the map's own. */
const URL = 4;
const URL_WIDE = 8;
/** The url begins with the map's own, which was left out. */
const URL_RELATIVE = 16;
const KNOWN_FLAGS = 31;
/** Of COMPARE: the expected value is there; without it, no value is expected. */
const EXPECTED = 32;
const EXPECTED_WIDE = 64;
/** Of COMPARE: the value is there; without it, the pair is to go. */
const VALUE = 128;
const COMPARE_FLAGS = 255;

/** A block of entries holds no more than this, but for an entry that is larger by itself. */
const BLOCK_UNITS = 2 ** 14;
const BLOCK_ENTRIES = 512;

/** What a record of a map is not. */
export function damaged(why: string): HoldfastError {
  return new HoldfastError('journal-damaged', `A record of a map has a valid checksum but makes no sense: ${why}.`);
}

export function unknownRecord(kind: number): HoldfastError {
  return new HoldfastError('unknown-record', `A record of kind ${kind} is in the journal of a map; a newer version of Holdfast must have written it.`);
}

/** Writes payloads. What it returns is valid until its next call. */
export class RecordWriter {
  readonly #payload = new PayloadWriter();

  /** `ownUrl` is the map's own url, which costs nothing to record. */
  set(ownUrl: string, url: string, key: string, value: string): Uint8Array {
    this.#payload.begin(3, url.length + key.length + value.length);
    this.#change(ownUrl, url);
    this.#key(key);
    this.#value(value);
    return this.#payload.finish();
  }

  remove(ownUrl: string, url: string, key: string): Uint8Array {
    this.#payload.begin(2, url.length + key.length);
    this.#change(ownUrl, url);
    this.#key(key);
    return this.#payload.finish();
  }

  /** Null: no value. */
  compare(ownUrl: string, url: string, { key, expected, value }: Comparison): Uint8Array {
    const payload = this.#payload;
    payload.begin(4, url.length + key.length + (expected?.length ?? 0) + (value?.length ?? 0));
    this.#change(ownUrl, url);
    this.#key(key);
    if (expected !== null) payload.mark(0, EXPECTED | (payload.string(expected) ? EXPECTED_WIDE : 0));
    if (value === null) return payload.finish();
    payload.mark(0, VALUE);
    this.#value(value);
    return payload.finish();
  }

  clear(ownUrl: string, url: string): Uint8Array {
    this.#payload.begin(1, url.length);
    this.#change(ownUrl, url);
    return this.#payload.finish();
  }

  /**
   * A LIMIT or RULES record.
   *
   * @throws RangeError unless `value` is a safe integer that is not negative: such a record would stop every reader.
   */
  number(value: number): Uint8Array {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`No record can hold the number ${value}.`);
    this.#payload.begin(0, 0);
    this.#payload.integer(value);
    return this.#payload.finish();
  }

  /** An ENTRIES record. */
  entries(block: readonly Entry[], units: number): Uint8Array {
    const payload = this.#payload;
    payload.begin(3 * block.length, units);
    for (const [key, value] of block) {
      const flags = payload.length;
      payload.byte(0);
      if (payload.string(key)) payload.mark(flags, KEY_WIDE);
      if (payload.string(value)) payload.mark(flags, VALUE_WIDE);
    }
    return payload.finish();
  }

  /** The flags, which the strings complete, and the url. */
  #change(ownUrl: string, url: string): void {
    const payload = this.#payload;
    payload.byte(0);
    if (url === ownUrl) return;
    const relative = url.startsWith(ownUrl);
    const wide = payload.string(relative ? url.slice(ownUrl.length) : url);
    payload.mark(0, URL | (wide ? URL_WIDE : 0) | (relative ? URL_RELATIVE : 0));
  }

  #key(key: string): void {
    if (this.#payload.string(key)) this.#payload.mark(0, KEY_WIDE);
  }

  #value(value: string): void {
    if (this.#payload.string(value)) this.#payload.mark(0, VALUE_WIDE);
  }
}

/** Sets or removes a value if the present one is the expected one. */
export interface Comparison {
  readonly key: string;
  /** Null: there must be none. */
  readonly expected: string | null;
  /** Null: it is to go. */
  readonly value: string | null;
}

type Entry = readonly [key: string, value: string];

/** What a map holds, as payloads of ENTRIES records, each valid until the next is asked for. */
export function* entryBlocks(writer: RecordWriter, entries: Iterable<Entry>): Generator<Uint8Array> {
  let block: Entry[] = [];
  let units = 0;
  for (const entry of entries) {
    const more = entry[0].length + entry[1].length;
    // An entry may be as large as a record can be: together with others it would make one that nobody can read.
    if (block.length === BLOCK_ENTRIES || (block.length > 0 && units + more > BLOCK_UNITS)) {
      yield writer.entries(block, units);
      block = [];
      units = 0;
    }
    block.push(entry);
    units += more;
  }
  if (block.length > 0) yield writer.entries(block, units);
}

/** What a payload is read with, part by part. */
type Parts = Pick<PayloadReader, 'begin' | 'atEnd' | 'byte' | 'integer' | 'string' | 'end'>;

/** Reads payloads one after the other; one object is used again and again. */
export class RecordReader {
  readonly #payload: Parts;
  /** The writer's url, or what is to follow the map's own. */
  #url: string | null = null;
  #relative = false;
  key = '';
  value = '';

  constructor(payload: Parts = new PayloadReader(damaged)) {
    this.#payload = payload;
  }

  /** The writer's url, where `ownUrl` is the map's. */
  url(ownUrl: string): string {
    if (this.#url === null) return ownUrl;
    return this.#relative ? ownUrl + this.#url : this.#url;
  }

  set(bytes: Uint8Array): void {
    const flags = this.#change(bytes, KNOWN_FLAGS);
    this.#entry(flags);
    this.#payload.end();
  }

  compare(bytes: Uint8Array): Comparison {
    const flags = this.#change(bytes, COMPARE_FLAGS);
    const payload = this.#payload;
    const key = payload.string((flags & KEY_WIDE) !== 0);
    const expected = (flags & EXPECTED) === 0 ? null : payload.string((flags & EXPECTED_WIDE) !== 0);
    const value = (flags & VALUE) === 0 ? null : payload.string((flags & VALUE_WIDE) !== 0);
    payload.end();
    return { key, expected, value };
  }

  barrier(bytes: Uint8Array): void {
    this.#payload.begin(bytes);
    this.#payload.end();
  }

  remove(bytes: Uint8Array): void {
    const flags = this.#change(bytes, KNOWN_FLAGS & ~VALUE_WIDE);
    this.key = this.#payload.string((flags & KEY_WIDE) !== 0);
    this.#payload.end();
  }

  clear(bytes: Uint8Array): void {
    this.#change(bytes, KNOWN_FLAGS & ~VALUE_WIDE & ~KEY_WIDE);
    this.#payload.end();
  }

  number(bytes: Uint8Array): number {
    this.#payload.begin(bytes);
    const value = this.#payload.integer();
    this.#payload.end();
    return value;
  }

  /** @throws HoldfastError `unknown-record` for any other version than ours. */
  rules(bytes: Uint8Array): void {
    const version = this.number(bytes);
    if (version === RULES_VERSION) return;
    throw new HoldfastError('unknown-record', `This map follows version ${version} of its rules; this Holdfast knows only ${RULES_VERSION}.`);
  }

  /** Calls `put` with each entry of a block. */
  entries(bytes: Uint8Array, put: (key: string, value: string) => void): void {
    this.#payload.begin(bytes);
    while (!this.#payload.atEnd) {
      this.#entry(this.#flags(KEY_WIDE | VALUE_WIDE));
      put(this.key, this.value);
    }
    this.#payload.end();
  }

  #entry(flags: number): void {
    this.key = this.#payload.string((flags & KEY_WIDE) !== 0);
    this.value = this.#payload.string((flags & VALUE_WIDE) !== 0);
  }

  #change(bytes: Uint8Array, known: number): number {
    this.#payload.begin(bytes);
    const flags = this.#flags(known);
    this.#url = (flags & URL) === 0 ? null : this.#payload.string((flags & URL_WIDE) !== 0);
    this.#relative = (flags & URL_RELATIVE) !== 0;
    return flags;
  }

  #flags(known: number): number {
    const flags = this.#payload.byte();
    if ((flags & ~known) !== 0) throw damaged('unknown flags');
    return flags;
  }
}
