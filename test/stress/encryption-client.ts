import type { StorageClient } from '../../src/index.ts';
import { CANARY, textOf, type Place } from './encryption.ts';

interface Bucket {
  getDirectory(): Promise<Awaited<ReturnType<StorageClient['storage']['getDirectory']>>>;
  readonly caches: StorageClient['caches'];
}

/** What one writer has of an origin, by its places. */
export class Versions {
  readonly #client: StorageClient;
  readonly #name: string;

  constructor(client: StorageClient, name: string) {
    this.#client = client;
    this.#name = `${CANARY}-${name}`;
  }

  async write(place: Place, version: number): Promise<void> {
    const text = textOf(version, place);
    switch (place) {
      case 'item':
        return this.#client.localStorage.setItem(this.#name, text);
      case 'whole':
        return this.#writeWhole(this.#default, text);
      case 'in place':
        return this.#writeInPlace(text);
      case 'response':
        return this.#put(this.#default, text);
      case 'bucket file':
        return this.#writeWhole(await this.#bucket(), text);
      case 'bucket response':
        return this.#put(await this.#bucket(), text);
      case 'record':
        return void (await this.#inDatabase('readwrite', (store) => store.put({ text, blob: new Blob([text]) }, 'key')));
    }
  }

  async read(place: Place): Promise<string | null> {
    switch (place) {
      case 'item':
        return this.#client.localStorage.getItem(this.#name);
      case 'whole':
        return this.#readFile(this.#default, 'whole');
      case 'in place':
        return ((await this.#readFile(this.#default, 'in place')) ?? '').trimEnd();
      case 'response':
        return this.#match(this.#default);
      case 'bucket file':
        return this.#readFile(await this.#bucket(), 'whole');
      case 'bucket response':
        return this.#match(await this.#bucket());
      case 'record':
        return this.#readRecord();
    }
  }

  get #default(): Bucket {
    return { getDirectory: () => this.#client.storage.getDirectory(), caches: this.#client.caches };
  }

  #bucket(): Promise<Bucket> {
    return this.#client.storageBuckets.open('canary-bucket');
  }

  async #file(bucket: Bucket, kind: string): Promise<FileSystemFileHandle> {
    const outer = await (await bucket.getDirectory()).getDirectoryHandle(`${CANARY} of all`, { create: true });
    const inner = await outer.getDirectoryHandle(this.#name, { create: true });
    return (await inner.getFileHandle(`${this.#name} ${kind}`, { create: true })) as unknown as FileSystemFileHandle;
  }

  async #writeWhole(bucket: Bucket, text: string): Promise<void> {
    const writable = await (await this.#file(bucket, 'whole')).createWritable();
    await writable.write(text);
    await writable.close();
  }

  /** One write in one block, always as long: so it is the old or the new one. */
  async #writeInPlace(text: string): Promise<void> {
    const access = await (await this.#file(this.#default, 'in place')).createSyncAccessHandle();
    try {
      access.write(new TextEncoder().encode(text.padEnd(1_000)), { at: 0 });
    } finally {
      access.close();
    }
  }

  async #readFile(bucket: Bucket, kind: string): Promise<string | null> {
    return (await (await this.#file(bucket, kind)).getFile()).text();
  }

  async #put(bucket: Bucket, text: string): Promise<void> {
    await (await bucket.caches.open(`${CANARY} cache`)).put(this.#url, new Response(text, { headers: { 'x-canary': CANARY } }));
  }

  async #match(bucket: Bucket): Promise<string | null> {
    return (await (await bucket.caches.match(this.#url))?.text()) ?? null;
  }

  get #url(): string {
    return `https://a.example/${this.#name}`;
  }

  async #readRecord(): Promise<string | null> {
    const record = (await this.#inDatabase('readonly', (store) => store.get('key'))) as { readonly text: string; readonly blob: Blob } | undefined;
    if (record === undefined) return null;
    return (await record.blob.text()) === record.text ? record.text : 'torn';
  }

  async #inDatabase(mode: 'readonly' | 'readwrite', use: (store: IDBObjectStore) => IDBRequest): Promise<unknown> {
    const opening = this.#client.indexedDB.open(this.#name) as unknown as IDBOpenDBRequest;
    opening.onupgradeneeded = () => void opening.result.createObjectStore(CANARY);
    const database = await resultOf(opening);
    try {
      const transaction = database.transaction(CANARY, mode);
      const result = await resultOf(use(transaction.objectStore(CANARY)));
      if (mode === 'readwrite') await new Promise((resolve, reject) => void ((transaction.oncomplete = resolve), (transaction.onabort = () => reject(transaction.error ?? new Error('aborted')))));
      return result;
    } finally {
      database.close();
    }
  }
}

function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('it failed'));
  });
}
