import fs from 'node:fs';
import type { Content } from '../../tree/content.ts';
import type { PagedFile } from '../../tree/sealing.ts';
import { HEADER_BYTES } from '../files/grid.ts';

/** What is kept before it is written. */
const MOST_BYTES = 2 ** 18;

/**
 * The journal by which SQLite undoes a transaction, on encrypted content. SQLite writes it in small pieces, one behind the
 * other, and needs it on the disk when it has it synced: before it writes to the database. Invariants:
 * - what was written before a `flush` is in the file after it;
 * - what is kept lies together, and nothing of it is read from the file;
 * - a place of nothing but zeros, as a machine that stops may leave it, reads as zeros: SQLite takes no record from there on.
 */
export class SealedJournal implements PagedFile {
  readonly #descriptor: number;
  readonly #content: Content;
  #kept = new Uint8Array(0);
  /** Where what is kept begins, and how much it is. */
  #start = 0;
  #length = 0;

  constructor(descriptor: number, content: Content) {
    this.#descriptor = descriptor;
    this.#content = content;
  }

  /** Many ask for a journal that has nothing in it: that needs no key. */
  get #isEmpty(): boolean {
    return fs.fstatSync(this.#descriptor).size <= HEADER_BYTES;
  }

  read(target: Uint8Array, at: number): number {
    if (this.#length > 0 && at < this.#start + this.#length) this.flush();
    return this.#isEmpty ? 0 : this.#content.read(target, at);
  }

  write(source: Uint8Array, at: number): void {
    const end = this.#start + this.#length;
    if (this.#length > 0 && (at < this.#start || at > end || at + source.length > this.#start + MOST_BYTES)) this.flush();
    if (this.#length === 0) this.#start = at;
    this.#keep(source, at - this.#start);
  }

  #keep(source: Uint8Array, offset: number): void {
    const length = Math.max(this.#length, offset + source.length);
    if (length > this.#kept.length) this.#grow(length);
    this.#kept.set(source, offset);
    this.#length = length;
  }

  #grow(length: number): void {
    const kept = new Uint8Array(Math.max(length, Math.min(MOST_BYTES, 4 * this.#kept.length)));
    kept.set(this.#kept.subarray(0, this.#length));
    this.#kept = kept;
  }

  flush(): void {
    for (let written = 0; written < this.#length; ) {
      written += this.#content.write(this.#kept.subarray(written, this.#length), this.#start + written);
    }
    this.#length = 0;
  }

  truncate(size: number): void {
    this.#length = Math.max(0, Math.min(this.#length, size - this.#start));
    if (!this.#isEmpty && size < this.#content.size()) this.#content.truncate(size);
  }

  size(): number {
    return Math.max(this.#isEmpty ? 0 : this.#content.size(), this.#length > 0 ? this.#start + this.#length : 0);
  }
}
