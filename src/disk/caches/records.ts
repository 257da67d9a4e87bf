import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { PayloadReader } from '../journal/payload-reader.ts';
import { ByteWriter } from '../replica/byte-writer.ts';
import type { CacheEntry, CacheQuery, HeaderList } from './entry.ts';

/*
 * The payloads of the records of a bucket's caches. docs/FORMAT.md, "Caches", is the same in words.
 *
 *   OPEN     name
 *   DELETE   name
 *   PUT      cache, any number of entries
 *   REMOVE   cache, flags, url, headers
 *
 * In snapshots:
 *   STATE    version of the rules, id of the next cache
 *   CACHE    cache, name
 *   ENTRIES  cache, any number of entries
 */
export const kinds = { open: 1, delete: 2, put: 3, remove: 4 } as const;
export const snapshotKinds = { state: 1, cache: 2, entries: 3 } as const;

/** The rules by which requests match and records are applied. */
export const RULES_VERSION = 1;

const VARY = 1;
const FRAGMENT = 2;
const HEADERS = 4;
const ENTRY_FLAGS = VARY | FRAGMENT | HEADERS;

const IGNORE_SEARCH = 1;
const IGNORE_VARY = 2;
const QUERY_FLAGS = IGNORE_SEARCH | IGNORE_VARY;

/** An ENTRIES record holds no more bytes than this, and one entry. */
const BLOCK_BYTES = 2 ** 14;

/** What a record of caches is not. */
export function damaged(why: string): HoldfastError {
  return new HoldfastError('journal-damaged', `A record of the journal of caches makes no sense: ${why}.`);
}

export function unknownRecord(kind: number): HoldfastError {
  return new HoldfastError('unknown-record', `A record of kind ${kind} is in the journal of caches; a newer version of Holdfast must have written it.`);
}

/** Names are exact UTF-16: https://w3c.github.io/ServiceWorker/#cachestorage has them as DOMStrings. */
export function encodeName(name: string): Uint8Array {
  return writeName(new ByteWriter(), name).finish();
}

export function readNameRecord(payload: Uint8Array): string {
  const from = readerOf(payload);
  const name = readName(from);
  from.end();
  return name;
}

export function encodePut(cache: number, entries: readonly CacheEntry[]): Uint8Array {
  const to = new ByteWriter().integer(cache);
  for (const entry of entries) writeEntry(to, entry);
  return to.finish();
}

/** A PUT or an ENTRIES record. */
export function readEntries(payload: Uint8Array): { readonly cache: number; readonly entries: readonly CacheEntry[] } {
  const from = readerOf(payload);
  const cache = from.integer();
  const entries: CacheEntry[] = [];
  while (!from.atEnd) entries.push(readEntry(from));
  from.end();
  return { cache, entries };
}

export function encodeRemove(cache: number, { url, headers, ignoreSearch, ignoreVary }: CacheQuery): Uint8Array {
  const flags = (ignoreSearch ? IGNORE_SEARCH : 0) | (ignoreVary ? IGNORE_VARY : 0);
  return writeHeaders(new ByteWriter().integer(cache).byte(flags).text(url), headers).finish();
}

export function readRemove(payload: Uint8Array): { readonly cache: number; readonly query: CacheQuery } {
  const from = readerOf(payload);
  const cache = from.integer();
  const flags = readFlags(from, QUERY_FLAGS);
  const query = {
    url: readText(from),
    headers: readHeaders(from),
    ignoreSearch: (flags & IGNORE_SEARCH) !== 0,
    ignoreVary: (flags & IGNORE_VARY) !== 0,
  };
  from.end();
  return { cache, query };
}

export function encodeState(nextId: number): Uint8Array {
  return new ByteWriter().integer(RULES_VERSION).integer(nextId).finish();
}

/** The id of the next cache. @throws HoldfastError `unknown-record` for any other version of the rules than ours */
export function readState(payload: Uint8Array): number {
  const from = readerOf(payload);
  const version = from.integer();
  if (version !== RULES_VERSION) {
    throw new HoldfastError('unknown-record', `These caches follow version ${version} of their rules; this Holdfast knows only ${RULES_VERSION}.`);
  }
  const nextId = from.integer();
  from.end();
  return nextId;
}

export function encodeCache(id: number, name: string): Uint8Array {
  return writeName(new ByteWriter().integer(id), name).finish();
}

export function readCache(payload: Uint8Array): { readonly id: number; readonly name: string } {
  const from = readerOf(payload);
  const [id, name] = [from.integer(), readName(from)];
  from.end();
  return { id, name };
}

/** Entries as payloads of ENTRIES records. */
export function* entryBlocks(cache: number, entries: Iterable<CacheEntry>): Generator<Uint8Array> {
  let to = new ByteWriter().integer(cache);
  let isEmpty = true;
  for (const entry of entries) {
    writeEntry(to, entry);
    isEmpty = false;
    if (to.length < BLOCK_BYTES) continue;
    yield to.finish();
    to = new ByteWriter().integer(cache);
    isEmpty = true;
  }
  if (!isEmpty) yield to.finish();
}

function writeEntry(to: ByteWriter, { url, fragment, headers, vary, file, size }: CacheEntry): void {
  to.byte((vary === null ? 0 : VARY) | (fragment === '' ? 0 : FRAGMENT) | (headers.length === 0 ? 0 : HEADERS));
  to.text(url);
  if (fragment !== '') to.text(fragment);
  if (headers.length > 0) writeHeaders(to, headers);
  if (vary !== null) to.text(vary);
  to.text(file).integer(size);
}

/** Most requests of a cache have none. */
const NO_HEADERS: HeaderList = [];

function readEntry(from: PayloadReader): CacheEntry {
  const flags = readFlags(from, ENTRY_FLAGS);
  return {
    url: readText(from),
    fragment: (flags & FRAGMENT) === 0 ? '' : readText(from),
    headers: (flags & HEADERS) === 0 ? NO_HEADERS : readHeaders(from),
    vary: (flags & VARY) === 0 ? null : readText(from),
    file: readText(from),
    size: from.integer(),
  };
}

// Parts, which the files of responses have as well.

export function writeHeaders(to: ByteWriter, headers: HeaderList): ByteWriter {
  to.integer(headers.length);
  for (const [name, value] of headers) to.text(name).text(value);
  return to;
}

export function readHeaders(from: PayloadReader): HeaderList {
  const headers: [string, string][] = [];
  for (let left = from.integer(); left > 0; left--) headers.push([readText(from), readText(from)]);
  return headers;
}

export function readText(from: PayloadReader): string {
  return from.take(from.integer()).toString('utf8');
}

export function readFlags(from: PayloadReader, known: number): number {
  const flags = from.byte();
  if ((flags & ~known) !== 0) throw damaged('unknown flags');
  return flags;
}

function writeName(to: ByteWriter, name: string): ByteWriter {
  return to.bytes(Buffer.from(name, 'utf16le'));
}

function readName(from: PayloadReader): string {
  const bytes = from.take(from.integer());
  if (bytes.length % 2 !== 0) throw damaged('a name of two-byte units has an odd length');
  return bytes.toString('utf16le');
}

function readerOf(payload: Uint8Array): PayloadReader {
  const reader = new PayloadReader(damaged);
  reader.begin(payload);
  return reader;
}
