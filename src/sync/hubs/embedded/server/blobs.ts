import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '../../../../runtime/holdfast-error.ts';
import { ensureSyncedDirectory, readWholeFile, writeWholeFile } from './place.ts';

/** The blobs of one log: files named by their digest, in directories of its first byte. */
export class Blobs {
  readonly #directory: string;
  readonly #draft: () => string;

  constructor(log: string, draft: () => string) {
    this.#directory = path.join(log, 'blobs');
    this.#draft = draft;
  }

  /** @throws HoldfastError `hub-damaged` when these are not the bytes of that name */
  async put(name: string, bytes: Uint8Array): Promise<void> {
    if (createHash('sha256').update(bytes).digest('hex') !== name) {
      throw new HoldfastError('hub-damaged', `The bytes that came for blob ${name} have another SHA-256.`);
    }
    const file = this.#file(name);
    if (fs.existsSync(file)) return;
    ensureSyncedDirectory(path.dirname(file));
    await writeWholeFile(this.#draft(), file, bytes);
  }

  get(name: string): Promise<Uint8Array | null> {
    return readWholeFile(this.#file(name));
  }

  has(name: string): boolean {
    return fs.existsSync(this.#file(name));
  }

  /** `name`: 64 hexadecimal digits. */
  #file(name: string): string {
    return path.join(this.#directory, name.slice(0, 2), name);
  }
}
