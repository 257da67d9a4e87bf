import { createHash } from 'node:crypto';
import { BLOCK_BYTES, encodeHeader, padding, type PaxRecords } from './tar-header.ts';
import { DIRECTORY, MANIFEST, VOID } from './layout.ts';

/** The pieces of an archive, one after another. */
export type Pieces = AsyncGenerator<Uint8Array, void>;

export interface ContentOptions {
  /** Milliseconds since 1970. */
  readonly modified?: number;
  readonly records?: PaxRecords;
}

/**
 * Writes the entries of one archive, in bounded memory but for a line of the manifest for each. Invariants:
 * - each entry has as many bytes as its header says, whatever its content does;
 * - the manifest is the last one, and has a line for each before it, in their order.
 */
export class TarWriter {
  readonly #now: number;
  readonly #lines: string[] = [];

  /** `now`: when what does not say itself counts as changed last, in milliseconds since 1970. */
  constructor(now: number) {
    this.#now = now;
  }

  *directory(path: string, modified = this.#now): Generator<Uint8Array, void> {
    this.#lines.push(`${DIRECTORY}${path}\n`);
    yield encodeHeader({ path, kind: 'directory', size: 0, modified, records: {} });
  }

  /** An entry that is in memory. */
  *whole(path: string, content: string | Uint8Array, options: ContentOptions = {}): Generator<Uint8Array, void> {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    this.#lines.push(line(createHash('sha256').update(bytes).digest('hex'), path));
    yield this.#header(path, bytes.length, options);
    yield bytes;
    yield padding(bytes.length);
  }

  /**
   * An entry whose content comes by and by. Where that fails or is of another length the rest is zeros, and readers are
   * told to pass over the entry.
   *
   * @returns null; or why it is not as it was to be
   */
  async *stream(path: string, size: number, content: AsyncIterable<Uint8Array>, options: ContentOptions = {}): AsyncGenerator<Uint8Array, unknown> {
    yield this.#header(path, size, options);
    const hash = createHash('sha256');
    let left = size;
    let failure: unknown = null;
    try {
      for await (const chunk of content) {
        if (chunk.length > left) throw new RangeError('it has grown');
        left -= chunk.length;
        hash.update(chunk);
        yield chunk;
      }
      if (left > 0) throw new RangeError('it has become shorter');
    } catch (error) {
      failure = error;
    }
    for (; left > 0; left -= Math.min(left, ZEROS.length)) {
      const rest = ZEROS.subarray(0, Math.min(left, ZEROS.length));
      hash.update(rest);
      yield rest;
    }
    yield padding(size);
    this.#lines.push((failure === null ? '' : VOID) + line(hash.digest('hex'), path));
    return failure;
  }

  #header(path: string, size: number, { modified = this.#now, records = {} }: ContentOptions): Uint8Array {
    return encodeHeader({ path, kind: 'file', size, modified, records });
  }

  *end(): Generator<Uint8Array, void> {
    const manifest = Buffer.from(this.#lines.join(''));
    yield encodeHeader({ path: MANIFEST, kind: 'file', size: manifest.length, modified: this.#now, records: {} });
    yield manifest;
    yield padding(manifest.length);
    yield new Uint8Array(2 * BLOCK_BYTES);
  }
}

const ZEROS = new Uint8Array(64 * 1024);

/** As `sha256sum` writes and checks them. */
function line(digest: string, path: string): string {
  return `${digest}  ${path}\n`;
}
