import fs from 'node:fs';

/** The content of an open file, by positions in it, whatever it looks like on the disk. */
export interface Content {
  /** Bytes. */
  size(): number;
  /** Bytes that the file takes of the disk with so much content: what its extent counts. */
  stored(size: number): number;
  /** Fills `into` from `position` on, as far as there is something; returns how many bytes. */
  read(into: Uint8Array, position: number): number;
  /** The same in another thread, where that is worth it; there may be more after what it gives. */
  readLater(into: Uint8Array, position: number): Promise<number>;
  /** Returns how many bytes were written, which may be fewer: a full disk says so then, or at the next call. */
  write(bytes: Uint8Array, position: number): number;
  /** The same in another thread, where that is worth it. The bytes must not change meanwhile. */
  writeLater(bytes: Uint8Array, position: number): Promise<number>;
  /** Makes the content so long; zeros where it grows. */
  truncate(size: number): void;
  /** The same in another thread, where that is worth it. */
  truncateLater(size: number): Promise<void>;
  /** Writes what is not in the file yet: there is nothing to come. */
  finish(): void;
  /** Whether what is not written from the beginning to the end has to be written twice. */
  readonly wantsOrder: boolean;
}

/** A file that is its content. Each call is one system call. */
export class PlainContent implements Content {
  readonly wantsOrder = false;
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  size(): number {
    return fs.fstatSync(this.#descriptor).size;
  }

  stored(size: number): number {
    return size;
  }

  read(into: Uint8Array, position: number): number {
    return fs.readSync(this.#descriptor, into, 0, into.byteLength, position);
  }

  readLater(into: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.#descriptor, into, 0, into.byteLength, position, (error, count) => {
        if (error === null) resolve(count);
        else reject(error);
      });
    });
  }

  write(bytes: Uint8Array, position: number): number {
    return fs.writeSync(this.#descriptor, bytes, 0, bytes.byteLength, position);
  }

  writeLater(bytes: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.write(this.#descriptor, bytes, 0, bytes.byteLength, position, (error, count) => {
        if (error === null) resolve(count);
        else reject(error);
      });
    });
  }

  truncate(size: number): void {
    fs.ftruncateSync(this.#descriptor, size);
  }

  truncateLater(size: number): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.ftruncate(this.#descriptor, size, (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  finish(): void {
    // All of it is in the file.
  }
}
