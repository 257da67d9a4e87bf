import type { StorageClient } from '../../src/index.ts';

export const ORIGIN = 'https://a.example';

/** What a process does whose power is lost. */
export type Work = 'encrypt' | 'rekey';

const places = ['item', 'file', 'response'] as const;
type Place = (typeof places)[number];

/** So that versions are of more than one block now and then. */
const textOf = (version: number): string => `${version} ${'canary-that-nobody-may-read'.repeat(version * 90)} ${version}`;

/** What somebody writes meanwhile: one version of an item, a file and a response after the other. */
export class Versions {
  readonly #client: StorageClient;

  constructor(client: StorageClient) {
    this.#client = client;
  }

  async write(rounds: number, onWritten: () => void): Promise<void> {
    for (let version = 1; version <= rounds; version += 1) {
      for (const place of places) {
        await this.#put(place, textOf(version));
        onWritten();
      }
    }
  }

  async #put(place: Place, text: string): Promise<void> {
    if (place === 'item') this.#client.localStorage.setItem('version', text);
    else if (place === 'response') await (await this.#client.caches.open('versions')).put('https://a.example/version', new Response(text));
    else {
      for (;;) {
        try {
          const writable = await (await (await this.#client.storage.getDirectory()).getFileHandle('version', { create: true })).createWritable();
          await writable.write(text);
          return await writable.close();
        } catch (error) {
          // It is being rewritten.
          if ((error as Error).name !== 'NoModificationAllowedError') throw error;
        }
      }
    }
  }

  async #get(place: Place): Promise<string | null> {
    if (place === 'item') return this.#client.localStorage.getItem('version');
    if (place === 'response') return (await (await this.#client.caches.match('https://a.example/version'))?.text()) ?? null;
    try {
      return await (await (await (await this.#client.storage.getDirectory()).getFileHandle('version')).getFile()).text();
    } catch (error) {
      if ((error as Error).name === 'NotFoundError') return null;
      throw error;
    }
  }

  /** What is wrong once so many were acknowledged; null: nothing. */
  async fault(acknowledged: number): Promise<string | null> {
    for (const [index, place] of places.entries()) {
      const least = Math.floor((acknowledged + places.length - 1 - index) / places.length);
      const text = await this.#get(place);
      const version = Number.parseInt(text ?? '0', 10);
      // A file is made, empty, before its first version is written.
      const isWhole = version === 0 || Number.isNaN(version) ? least === 0 : text === textOf(version);
      if (!isWhole || version < least || version > least + 1) return `${place} is ${String(text).slice(0, 40)}, and version ${least} was acknowledged`;
    }
    return null;
  }
}
