import { createHash } from 'node:crypto';
import { archiveError } from './archive-error.ts';
import { BLOCK_BYTES, decodeBlock, decodeRecords, LONGEST_RECORDS, padding, type HeaderBlock } from './tar-header.ts';
import { DIRECTORY, MANIFEST, VOID } from './layout.ts';

/** One entry of an archive. Its content is to be read to the end before the next entry is asked for. */
export interface TarEntry {
  readonly path: string;
  readonly kind: 'file' | 'directory';
  /** Bytes. */
  readonly size: number;
  readonly records: Readonly<Record<string, string>>;
  content(): AsyncGenerator<Uint8Array, void>;
}

/**
 * Reads the entries of an archive as it comes, in bounded memory but for a line of the manifest for each. Invariants:
 * - whatever the archive says, no more is kept of it than what is bounded here;
 * - when `entries` has ended without an error, the manifest was there, and every entry as it says.
 *
 * All methods throw HoldfastError `archive-damaged`, and what the source throws.
 */
export class TarReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);
  /** What the manifest is to say of each. */
  readonly #lines: { readonly line: string; readonly path: string }[] = [];
  /** Paths of entries that are not as they were to be, as the manifest says. */
  readonly voids = new Set<string>();

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async *entries(): AsyncGenerator<TarEntry, void> {
    for (let entry = await this.#next(); entry !== null; entry = await this.#next()) {
      if (entry.path === MANIFEST) return this.#check(await this.#text(entry.size));
      const hash = createHash('sha256');
      yield entry.kind === 'directory' ? this.#directory(entry) : { ...entry, content: () => this.#content(entry, hash) };
    }
    throw archiveError('it was cut short, or is no export of Holdfast');
  }

  #directory(entry: Omit<TarEntry, 'content'>): TarEntry {
    this.#lines.push({ line: DIRECTORY + entry.path, path: entry.path });
    return { ...entry, content: async function* () {} };
  }

  async #next(): Promise<Omit<TarEntry, 'content'> | null> {
    const block = await this.#block();
    if (block?.kind !== 'records') return block === null ? null : { ...named(block, block.path), records: {} };
    if (block.size > LONGEST_RECORDS) throw archiveError('an extended header of it is too long');
    const records = decodeRecords(await this.#bytes(block.size));
    await this.#bytes(padding(block.size).length);
    const next = await this.#block();
    if (next === null || next.kind === 'records') throw archiveError('an extended header of it is of no entry');
    const path = records['path'] ?? next.path;
    return { ...named(next, path), size: sizeIn(records) ?? next.size, records };
  }

  async #block(): Promise<HeaderBlock | null> {
    return decodeBlock(await this.#bytes(BLOCK_BYTES));
  }

  async *#content({ path, size }: Omit<TarEntry, 'content'>, hash: ReturnType<typeof createHash>): AsyncGenerator<Uint8Array, void> {
    for (let left = size; left > 0; ) {
      const bytes = await this.#some(left);
      left -= bytes.length;
      hash.update(bytes);
      yield bytes;
    }
    await this.#bytes(padding(size).length);
    this.#lines.push({ line: `${hash.digest('hex')}  ${path}`, path });
  }

  async #text(size: number): Promise<string> {
    if (size > LONGEST_MANIFEST) throw archiveError('its manifest is too long');
    return Buffer.from(await this.#bytes(size)).toString('utf8');
  }

  #check(manifest: string): void {
    const lines = manifest.split('\n');
    if (lines.pop() !== '' || lines.length !== this.#lines.length) throw archiveError('it has other entries than its manifest says');
    for (const [index, line] of lines.entries()) {
      const { line: expected, path } = this.#lines[index] ?? { line: '', path: '' };
      const isVoid = line.startsWith(VOID);
      if ((isVoid ? line.slice(VOID.length) : line) !== expected) throw archiveError(`its entry '${path}' is damaged`);
      if (isVoid) this.voids.add(path);
      else this.voids.delete(path);
    }
  }

  /** At least one byte, and at most `most`. */
  async #some(most: number): Promise<Uint8Array> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#source.next();
      if (done === true) throw archiveError('it was cut short');
      this.#rest = value;
    }
    const bytes = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(bytes.length);
    return bytes;
  }

  async #bytes(length: number): Promise<Uint8Array> {
    if (this.#rest.length >= length) return length === 0 ? new Uint8Array(0) : this.#some(length);
    const chunks: Uint8Array[] = [];
    for (let left = length; left > 0; ) {
      const bytes = await this.#some(left);
      chunks.push(bytes);
      left -= bytes.length;
    }
    return Buffer.concat(chunks);
  }
}

const LONGEST_MANIFEST = 2 ** 28;

function named({ kind, size }: HeaderBlock, path: string): { path: string; kind: 'file' | 'directory'; size: number } {
  const isDirectory = kind === 'directory';
  return { path: isDirectory ? path.replace(/\/$/, '') : path, kind: isDirectory ? 'directory' : 'file', size };
}

function sizeIn({ size }: Readonly<Record<string, string>>): number | null {
  if (size === undefined) return null;
  const number = /^(0|[1-9][0-9]{0,15})$/.test(size) ? Number(size) : NaN;
  if (!Number.isSafeInteger(number)) throw archiveError('the size of an entry makes no sense');
  return number;
}
