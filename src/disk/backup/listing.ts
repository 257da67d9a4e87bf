import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { crc32 } from '../journal/checksum.ts';
import { isChunkName } from './chunk-file.ts';

/*
 * What an origin is made of, as lines of JSON that are kept in chunks. Where a chunk of lines ends is decided by the
 * lines themselves, so that a line more or less changes one chunk, and the others are those of the backup before.
 */

/** A file, by its path in the origin's directory with `/` between the names as they are spelled on the disk. */
export interface ListedFile {
  readonly path: string;
  readonly size: number;
  /** When it was last written to, in nanoseconds since 1970, and its inode; as decimal numbers. */
  readonly mtime: string;
  readonly ino: string;
  /** It has the mode of a stub. */
  readonly isStub: boolean;
  /** It was written to so shortly before that size and time may not show a later write: to be read again. */
  readonly isFresh: boolean;
  /** Its bytes are those of these chunks one after the other, from this offset on. */
  readonly at: number;
  readonly chunks: readonly string[];
}

/** A bucket, or what is like one: which of the directories it has that are made anew. */
export interface ListedPlace {
  readonly path: string;
  readonly parts: readonly FreshPart[];
}

/** What of a bucket is not kept, for it is of processes that lived then. */
export type FreshPart = 'locks' | 'swap' | 'trash' | 'wake' | 'indexeddb/locks' | 'indexeddb/wake';

export const freshParts: readonly FreshPart[] = ['locks', 'swap', 'trash', 'wake', 'indexeddb/locks', 'indexeddb/wake'];

export interface Listing {
  places: ListedPlace[];
  directories: string[];
  files: ListedFile[];
  /** What says of a database in which state it was, by the path of its directory; opaque to whoever restores it. */
  marks: { readonly path: string; readonly mark: string }[];
}

export type Line = { readonly kind: 'place'; readonly place: ListedPlace } | { readonly kind: 'directory'; readonly path: string } | { readonly kind: 'mark'; readonly path: string; readonly mark: string } | { readonly kind: 'file'; readonly file: ListedFile };

const STUB = 1;
const FRESH = 2;

/** Lines are put into one chunk up to one whose checksum has these bits zero, or up to a size. */
const CUT_MASK = 0x1ff;
const LARGEST_CUT = 2 ** 20;

/** The chunks of a listing: in order, each of whole lines. */
export function* encodeListing({ places, directories, files, marks }: Listing): Iterable<Uint8Array> {
  const rows: [string, unknown[]][] = [
    ...places.map(({ path, parts }): [string, unknown[]] => [path, ['p', path, parts]]),
    ...directories.map((path): [string, unknown[]] => [path, ['d', path]]),
    ...marks.map(({ path, mark }): [string, unknown[]] => [path, ['s', path, mark]]),
    ...files.map((file): [string, unknown[]] => [file.path, rowOf(file)]),
  ];
  rows.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  let pending: Buffer[] = [];
  let bytes = 0;
  for (const [path, row] of rows) {
    const line = Buffer.from(`${JSON.stringify(row)}\n`);
    pending.push(line);
    bytes += line.length;
    const name = Buffer.from(path);
    if (bytes < LARGEST_CUT && (crc32(name, 0, name.length) & CUT_MASK) !== 0) continue;
    yield Buffer.concat(pending);
    [pending, bytes] = [[], 0];
  }
  if (bytes > 0) yield Buffer.concat(pending);
}

function rowOf({ path, size, mtime, ino, isStub, isFresh, at, chunks }: ListedFile): unknown[] {
  return ['f', path, size, mtime, ino, (isStub ? STUB : 0) | (isFresh ? FRESH : 0), at, chunks];
}

/** @throws HoldfastError backup-damaged for what no version writes */
export function* decodeLines(chunk: Buffer): Iterable<Line> {
  for (const text of chunk.toString('utf8').split('\n')) if (text !== '') yield decodeLine(text);
}

function decodeLine(text: string): Line {
  let row: unknown;
  try {
    row = JSON.parse(text);
  } catch {
    throw senseless(text);
  }
  if (!Array.isArray(row) || !isSafePath(row[1])) throw senseless(text);
  const [kind, path, ...rest] = row as [unknown, string, ...unknown[]];
  if (kind === 'd' && rest.length === 0) return { kind: 'directory', path };
  if (kind === 's' && typeof rest[0] === 'string') return { kind: 'mark', path, mark: rest[0] };
  if (kind === 'p' && isParts(rest[0])) return { kind: 'place', place: { path, parts: rest[0] } };
  const file = kind === 'f' ? fileOf(path, rest) : null;
  if (file === null) throw senseless(text);
  return { kind: 'file', file };
}

function isParts(value: unknown): value is FreshPart[] {
  return Array.isArray(value) && value.every((part) => (freshParts as readonly unknown[]).includes(part));
}

function fileOf(path: string, [size, mtime, ino, flags, at, chunks]: readonly unknown[]): ListedFile | null {
  const isWhole =
    isAmount(size) && isAmount(at) && isAmount(flags) && isDecimal(mtime) && isDecimal(ino) && Array.isArray(chunks) && chunks.every(isChunkName);
  if (!isWhole) return null;
  return { path, size, mtime, ino, isStub: (flags & STUB) !== 0, isFresh: (flags & FRESH) !== 0, at, chunks };
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isDecimal(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9]{1,20}$/.test(value);
}

export function pathOf(line: Line): string {
  if (line.kind === 'file') return line.file.path;
  return line.kind === 'place' ? line.place.path : line.path;
}

/** Whether a path leads to somewhere below the directory that it is relative to, on every system. */
export function isSafePath(value: unknown): value is string {
  if (typeof value !== 'string' || value === '' || /[\\\0]/.test(value) || /^[a-z]:/i.test(value)) return false;
  return value.split('/').every((name) => name !== '' && name !== '.' && name !== '..');
}

function senseless(line: string): HoldfastError {
  return new HoldfastError('backup-damaged', `A line of a listing makes no sense: ${line.slice(0, 200)}`);
}
