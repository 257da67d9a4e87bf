import type { BlobDirectory } from './blob-directory.ts';
import type { RecordFiles } from './record-bytes.ts';

/**
 * The files of one write transaction. Invariants
 * - Every file that it mentions is held until it has ended, and all are written before it commits.
 * - What no record mentions any more is garbage only once it has committed.
 */
export class TransactionFiles {
  readonly directory: BlobDirectory;
  readonly #held: number[] = [];
  readonly #unwritten = new Map<number, Uint8Array>();
  readonly #garbage = new Set<number>();
  #writing: Promise<void>[] = [];
  #failure: { readonly error: unknown } | null = null;

  constructor(directory: BlobDirectory) {
    this.directory = directory;
  }

  /** Files of a record that was put; `bytes` are written where the value has a file. */
  mentioned({ value, blobs }: RecordFiles, bytes: Uint8Array): void {
    for (const id of blobs) this.#hold(id);
    if (value === null) return;
    this.#hold(value.id);
    this.#unwritten.set(value.id, bytes);
    this.#writing.push(this.#write(value.id, bytes));
  }

  #hold(id: number): void {
    this.directory.hold(id);
    this.#held.push(id);
  }

  /** Never rejects. */
  async #write(id: number, bytes: Uint8Array): Promise<void> {
    try {
      await this.directory.writeValue(id, bytes);
    } catch (error) {
      this.#failure ??= { error };
    } finally {
      this.#unwritten.delete(id);
    }
  }

  /** A value that is not in its file yet. */
  unwritten(id: number): Uint8Array | undefined {
    return this.#unwritten.get(id);
  }

  dropped(ids: readonly number[]): void {
    for (const id of ids) this.#garbage.add(id);
  }

  /** Null: all are. */
  get written(): Promise<void> | null {
    return this.#writing.length === 0 ? null : this.#allWritten();
  }

  async #allWritten(): Promise<void> {
    while (this.#writing.length > 0) {
      const writing = this.#writing;
      this.#writing = [];
      await Promise.all(writing);
    }
    if (this.#failure !== null) throw this.#failure.error;
  }

  get mentions(): readonly number[] {
    return this.#held;
  }

  /** It has committed. @returns what may be garbage now */
  committed(): Iterable<number> {
    this.#release();
    return this.#garbage;
  }

  /** It was rolled back; what it still writes is let go when it is written. */
  rolledBack(): void {
    const writing = this.#writing;
    if (writing.length === 0) this.#release();
    else void Promise.all(writing).then(() => this.#release());
  }

  #release(): void {
    for (const id of this.#held.splice(0)) this.directory.release(id);
  }
}
