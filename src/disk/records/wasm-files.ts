import fs from 'node:fs';
import { fsync } from '../../runtime/descriptor-calls.ts';
import { syncPath } from '../root/durable.ts';
import { CREATE, openPlain, READ_WRITE } from '../tree/open-plain.ts';
import path from 'node:path';

/** A file of bytes, as SQLite wants it; what fails throws the operating system's error. */
export interface ByteFile {
  /** Fills `target` from `at` on, as far as the file goes. @returns how many bytes */
  read(target: Uint8Array, at: number): number;
  write(source: Uint8Array, at: number): void;
  truncate(size: number): void;
  size(): number;
  /** Has the disk keep it. */
  sync(): void;
  close(): void;
}

/** Where SQLite's files are; a layer that encrypts them is another of these. */
export interface ByteFiles {
  /** Bytes at the end of each page that SQLite leaves alone. Nobody keeps them. */
  readonly reservedBytes: number;
  open(path: string, mayCreate: boolean): ByteFile;
  exists(path: string): boolean;
  delete(path: string, isSynced: boolean): void;
}

/** Plain files, readable for their owner only; links are not followed. */
export const plainFiles: ByteFiles = {
  reservedBytes: 0,
  open: (path, mayCreate) => new PlainFile(openPlain(path, mayCreate ? CREATE : READ_WRITE), path),
  exists: (path) => fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined,
  delete(file, isSynced) {
    fs.unlinkSync(file);
    if (isSynced) syncPath(path.dirname(file));
  },
};

class PlainFile implements ByteFile {
  readonly #descriptor: number;
  readonly #path: string;

  constructor(descriptor: number, path: string) {
    this.#path = path;
    this.#descriptor = descriptor;
  }

  read(target: Uint8Array, at: number): number {
    let filled = 0;
    while (filled < target.length) {
      const count = fs.readSync(this.#descriptor, target, filled, target.length - filled, at + filled);
      if (count === 0) break;
      filled += count;
    }
    return filled;
  }

  write(source: Uint8Array, at: number): void {
    for (let written = 0; written < source.length; ) {
      written += fs.writeSync(this.#descriptor, source, written, source.length - written, at + written);
    }
  }

  truncate(size: number): void {
    fs.ftruncateSync(this.#descriptor, size);
  }

  size(): number {
    return fs.fstatSync(this.#descriptor).size;
  }

  sync(): void {
    fsync(this.#descriptor, this.#path);
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }
}
