import { archiveError } from './archive-error.ts';
import { BLOCK_BYTES, padding, type PaxRecords } from './tar-header.ts';

/*
 * Files with holes, as GNU tar writes them (PAX format 1.0) and others read them: a map of what is there, then that.
 * https://www.gnu.org/software/tar/manual/html_section/Sparse-Formats.html
 */

/** Bytes from one place of a file on. */
export interface Extent {
  readonly start: number;
  readonly length: number;
}

/** A file is looked through in pieces; one of only zeros is a hole. */
const PIECE_BYTES = 64 * 1024;
const AT_ONCE = 32 * PIECE_BYTES;

/** What a reader takes of a map. */
const MOST_EXTENTS = 2 ** 20;

const ZEROS = Buffer.alloc(PIECE_BYTES);

/** What of a file is not zeros; null where it takes about as much of the disk as it is long. @throws what reading it throws */
export async function extentsOf(file: File, allocated: number): Promise<Extent[] | null> {
  if (file.size - allocated < PIECE_BYTES) return null;
  const extents: { start: number; length: number }[] = [];
  for (let from = 0; from < file.size; from += AT_ONCE) {
    const bytes = Buffer.from(await file.slice(from, from + AT_ONCE).arrayBuffer());
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) addPiece(extents, from + at, bytes.subarray(at, at + PIECE_BYTES));
  }
  return extents;
}

function addPiece(extents: { start: number; length: number }[], start: number, piece: Buffer): void {
  if (piece.equals(ZEROS.subarray(0, piece.length))) return;
  const last = extents.at(-1);
  if (last !== undefined && last.start + last.length === start) last.length += piece.length;
  else extents.push({ start, length: piece.length });
}

/** The content of such an entry, and its size in the archive. */
export function sparseContent(file: File, extents: readonly Extent[]): { readonly size: number; readonly content: AsyncIterable<Uint8Array> } {
  const map = Buffer.from([...listed(extents, file.size)].map((number) => `${number}\n`).join(''));
  const head = Buffer.concat([map, padding(map.length)]);
  const size = extents.reduce((sum, { length }) => sum + length, head.length);
  return { size, content: contentOf(head, file, extents) };
}

/** The last extent says how long the file is, if it ends with a hole. */
function* listed(extents: readonly Extent[], size: number): Generator<number> {
  const last = extents.at(-1);
  const all = last === undefined || last.start + last.length < size ? [...extents, { start: size, length: 0 }] : extents;
  yield all.length;
  for (const { start, length } of all) yield* [start, length];
}

async function* contentOf(head: Uint8Array, file: File, extents: readonly Extent[]): AsyncGenerator<Uint8Array> {
  yield head;
  for (const { start, length } of extents) {
    for (let from = start; from < start + length; from += AT_ONCE) {
      yield new Uint8Array(await file.slice(from, Math.min(from + AT_ONCE, start + length)).arrayBuffer());
    }
  }
}

/** What says so before the entry. */
export function sparseRecords(path: string, size: number): PaxRecords {
  return { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': path, 'GNU.sparse.realsize': String(size) };
}

/** The size and path that records give; null: the entry has no holes. @throws HoldfastError `archive-damaged` */
export function sparseOf(records: Readonly<Record<string, string>>): { readonly path: string; readonly size: number } | null {
  const { 'GNU.sparse.major': major, 'GNU.sparse.minor': minor, 'GNU.sparse.name': path, 'GNU.sparse.realsize': size } = records;
  if (major === undefined && path === undefined) return null;
  if (major !== '1' || minor !== '0' || path === undefined || size === undefined) throw archiveError('a file with holes in it is of another format');
  return { path, size: wholeNumber(size) };
}

function wholeNumber(digits: string): number {
  const number = /^(0|[1-9][0-9]{0,15})$/.test(digits) ? Number(digits) : NaN;
  if (!Number.isSafeInteger(number)) throw archiveError('a number in it makes no sense');
  return number;
}

/** What stands where: a file's bytes, each with its place, read from the content of an entry with holes. */
export async function* piecesOfSparse(content: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<{ readonly at: number; readonly bytes: Uint8Array }> {
  const reader = new MapReader(size);
  let extents: IterableIterator<Extent> | null = null;
  let current = { at: 0, left: 0 };
  for await (const chunk of content) {
    let rest = extents === null ? reader.take(chunk) : chunk;
    extents ??= reader.extents?.values() ?? null;
    while (rest.length > 0) {
      if (current.left === 0) current = nextOf(extents);
      const bytes = rest.subarray(0, current.left);
      yield { at: current.at, bytes };
      current = { at: current.at + bytes.length, left: current.left - bytes.length };
      rest = rest.subarray(bytes.length);
    }
  }
  const isShort = extents === null || current.left > 0 || [...extents].some(({ length }) => length > 0);
  if (isShort) throw archiveError('a file with holes in it is too short');
}

function nextOf(extents: IterableIterator<Extent> | null): { at: number; left: number } {
  for (let next = extents?.next(); next?.done === false; next = extents?.next()) {
    const { start, length } = next.value;
    if (length > 0) return { at: start, left: length };
  }
  throw archiveError('a file with holes in it is too long');
}

/** Reads the map that such content begins with. */
class MapReader {
  readonly #size: number;
  #text = '';
  #bytes = 0;
  #numbers: number[] = [];
  extents: Extent[] | null = null;

  constructor(size: number) {
    this.#size = size;
  }

  /** What is left of the bytes once the map is whole; nothing before. */
  take(bytes: Uint8Array): Uint8Array {
    for (let at = 0; at < bytes.length; at += 1) {
      if (this.#isComplete) return this.#skip(bytes.subarray(at));
      const character = String.fromCharCode(bytes[at] ?? 0);
      if (character !== '\n') this.#text += character;
      else this.#take();
      if (this.#text.length > 16) throw archiveError('the map of a file with holes makes no sense');
      this.#bytes += 1;
    }
    return this.#isComplete ? this.#skip(new Uint8Array(0)) : new Uint8Array(0);
  }

  #take(): void {
    this.#numbers.push(wholeNumber(this.#text));
    this.#text = '';
    if ((this.#numbers[0] ?? 0) > MOST_EXTENTS) throw archiveError('the map of a file with holes is too long');
  }

  get #isComplete(): boolean {
    return this.#numbers.length > 0 && this.#numbers.length === 1 + 2 * (this.#numbers[0] ?? 0);
  }

  /** Zeros follow up to the end of a block. */
  #skip(rest: Uint8Array): Uint8Array {
    const zeros = (BLOCK_BYTES - (this.#bytes % BLOCK_BYTES)) % BLOCK_BYTES;
    const skipped = Math.min(zeros, rest.length);
    this.#bytes += skipped;
    if (skipped === zeros) this.extents ??= this.#checked();
    return rest.subarray(skipped);
  }

  #checked(): Extent[] {
    const extents: Extent[] = [];
    let end = 0;
    for (let at = 1; at < this.#numbers.length; at += 2) {
      const [start = 0, length = 0] = this.#numbers.slice(at, at + 2);
      if (start < end || start + length > this.#size) throw archiveError('the map of a file with holes makes no sense');
      end = start + length;
      extents.push({ start, length });
    }
    return extents;
  }
}
