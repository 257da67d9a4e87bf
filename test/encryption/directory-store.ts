import fs from 'node:fs';
import path from 'node:path';
import type { KeyStore } from '../../src/host/encryption/options.ts';

/** What docs/ENCRYPTION.md shows: keys in files of another disk. */
export class DirectoryStore implements KeyStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    try {
      return Uint8Array.from(await fs.promises.readFile(path.join(this.#directory, name)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    const draft = path.join(this.#directory, `${name}.${process.pid}`);
    await fs.promises.writeFile(draft, bytes, { flush: true });
    await fs.promises.rename(draft, path.join(this.#directory, name));
    const directory = await fs.promises.open(this.#directory);
    await directory.sync().finally(() => directory.close());
  }

  async delete(name: string): Promise<void> {
    await fs.promises.rm(path.join(this.#directory, name), { force: true });
  }
}

export interface StorePeerOptions {
  readonly root: string;
  readonly directory: string;
  /** In hexadecimal. */
  readonly key: string;
  readonly origin: string;
}

export type StoreCommands = {
  unlock(): Promise<void>;
  set(name: string, value: string): Promise<void>;
  items(): Record<string, string>;
};
