import fs from 'node:fs';
import { fsync } from '../../runtime/descriptor-calls.ts';
import { closeQuietly, CREATE, openPlain, READ_WRITE } from '../tree/open-plain.ts';
import type { DatabaseSealing, PagedFile } from '../tree/sealing.ts';
import { plainFiles, type ByteFile, type ByteFiles } from './wasm-files.ts';

/** What each page has on the disk beside its content: an IV and a tag. docs/FORMAT.md, "IndexedDB". */
const RESERVED_BYTES = 32;

/** The files of a database that is encrypted, in the places of plain ones. */
export function sealedFiles(sealing: DatabaseSealing): ByteFiles {
  return {
    ...plainFiles,
    reservedBytes: RESERVED_BYTES,
    open(path, mayCreate) {
      const descriptor = openPlain(path, mayCreate ? CREATE : READ_WRITE);
      try {
        return new SealedFile(descriptor, path, path.endsWith('-journal') ? sealing.journal(descriptor, path) : sealing.pages(descriptor, path));
      } catch (error) {
        closeQuietly(descriptor);
        throw error;
      }
    },
  };
}

class SealedFile implements ByteFile {
  readonly #descriptor: number;
  readonly #path: string;
  readonly #file: PagedFile;

  constructor(descriptor: number, path: string, file: PagedFile) {
    this.#descriptor = descriptor;
    this.#path = path;
    this.#file = file;
  }

  read(target: Uint8Array, at: number): number {
    return this.#file.read(target, at);
  }

  write(source: Uint8Array, at: number): void {
    this.#file.write(source, at);
  }

  truncate(size: number): void {
    this.#file.truncate(size);
  }

  size(): number {
    return this.#file.size();
  }

  sync(): void {
    this.#file.flush();
    fsync(this.#descriptor, this.#path);
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }
}
