import type { BlobDirectory } from './blob-directory.ts';
import type { RecordFiles } from './record-bytes.ts';

/** What most transactions need nothing of. */
interface Touched {
  readonly held: number[];
  readonly unwritten: Map<number, Uint8Array>;
  readonly garbage: Set<number>;
  writing: Promise<void>[];
  failure: { readonly error: unknown } | null;
}

const NONE: readonly number[] = [];

/**
 * The files of one write transaction. Invariants
 * - Every file that it mentions is held until it has ended, and all are written before it commits.
 * - What no record mentions any more is garbage only once it has committed.
 */
export class TransactionFiles {
  readonly directory: BlobDirectory;
  #touched: Touched | null = null;

  constructor(directory: BlobDirectory) {
    this.directory = directory;
  }

  #touch(): Touched {
    return (this.#touched ??= { held: [], unwritten: new Map(), garbage: new Set(), writing: [], failure: null });
  }

  /** Files of a record that was put; `bytes` are written where the value has a file. */
  mentioned({ value, blobs }: RecordFiles, bytes: Uint8Array): void {
    const touched = this.#touch();
    for (const id of blobs) this.#hold(touched, id);
    if (value === null) return;
    this.#hold(touched, value.id);
    touched.unwritten.set(value.id, bytes);
    touched.writing.push(this.#write(touched, value.id, bytes));
  }

  #hold(touched: Touched, id: number): void {
    this.directory.hold(id);
    touched.held.push(id);
  }

  /** Never rejects. */
  async #write(touched: Touched, id: number, bytes: Uint8Array): Promise<void> {
    try {
      await this.directory.writeValue(id, bytes);
    } catch (error) {
      touched.failure ??= { error };
    } finally {
      touched.unwritten.delete(id);
    }
  }

  /** A value that is not in its file yet. */
  unwritten(id: number): Uint8Array | undefined {
    return this.#touched?.unwritten.get(id);
  }

  dropped(ids: readonly number[]): void {
    for (const id of ids) this.#touch().garbage.add(id);
  }

  /** Null: all are. */
  get written(): Promise<void> | null {
    return this.#touched === null || this.#touched.writing.length === 0 ? null : this.#allWritten(this.#touched);
  }

  async #allWritten(touched: Touched): Promise<void> {
    while (touched.writing.length > 0) await Promise.all(touched.writing.splice(0));
    if (touched.failure !== null) throw touched.failure.error;
  }

  get mentions(): readonly number[] {
    return this.#touched?.held ?? NONE;
  }

  /** It has committed. @returns what may be garbage now */
  committed(): Iterable<number> {
    this.#release();
    return this.#touched?.garbage ?? NONE;
  }

  /** It was rolled back; what it still writes is let go when it is written. */
  rolledBack(): void {
    const writing = this.#touched?.writing ?? [];
    if (writing.length === 0) this.#release();
    else void Promise.all(writing).then(() => this.#release());
  }

  #release(): void {
    for (const id of this.#touched?.held.splice(0) ?? NONE) this.directory.release(id);
  }
}
