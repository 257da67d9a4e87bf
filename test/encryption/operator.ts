import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { EncryptionOptions } from '../../src/host/encryption/options.ts';
import '../../src/host/indexed-db/provided.ts';
import '../../src/host/storage-buckets/provided.ts';
import { StorageHost } from '../../src/index.ts';
import type { StorageClient } from '../../src/index.ts';
import { temporaryDirectory } from '../journal/support/place.ts';

export const ORIGIN = 'https://a.example';
export const OTHER = 'https://b.example';

/** In every value, content and name that is written here. */
export const CANARY = 'canary-that-nobody-may-read';

export const [key, otherKey] = [1, 2].map(() => Uint8Array.from(randomBytes(32))) as [Uint8Array, Uint8Array];

/** A host that is closed when the test has ended. */
export function open(root: string, encryption: EncryptionOptions | undefined = { key }): StorageHost {
  const host = new StorageHost({ root, ...(encryption && { encryption }) });
  onTestFinished(() => host.close());
  return host;
}

/** A host without a key. */
export function openPlain(root: string): StorageHost {
  const host = new StorageHost({ root });
  onTestFinished(() => host.close());
  return host;
}

export async function write(client: { readonly storage: { getDirectory(): Promise<FileSystemDirectoryHandle> } }, name: string, content: string | Uint8Array<ArrayBuffer>): Promise<void> {
  const file = await (await client.storage.getDirectory()).getFileHandle(name, { create: true });
  const writable = await file.createWritable();
  await writable.write(content);
  await writable.close();
}

/** Files: one that was written whole, one in place, an empty one, one with a name that no disk takes; and items. */
export async function fill(client: StorageClient, mark: string): Promise<void> {
  const text = `${CANARY} ${mark}`;
  client.localStorage.setItem(`${CANARY}-key`, text);
  await write(client, `${CANARY}-whole`, text.repeat(5_000));
  await write(client, `${CANARY}-empty`, '');
  await write(client, CANARY.repeat(20), text);
  const directory = await (await client.storage.getDirectory()).getDirectoryHandle(`${CANARY}-directory`, { create: true });
  await directory.getDirectoryHandle('empty', { create: true });
  const handle = await (await directory.getFileHandle('in place', { create: true })).createSyncAccessHandle();
  handle.write(new TextEncoder().encode(text.repeat(300)));
  handle.close();
  await (await client.caches.open(`${CANARY}-cache`)).put(`https://a.example/${CANARY}`, new Response(text.repeat(4_000)));
  const bucket = await client.storageBuckets.open('canary-bucket');
  await write({ storage: bucket }, `${CANARY}-inside`, text);
}

/** What a client of what was filled has. */
export async function contentOf(client: StorageClient): Promise<unknown> {
  const response = await client.caches.match(`https://a.example/${CANARY}`);
  const bucket = await client.storageBuckets.open('canary-bucket');
  return { items: { ...client.localStorage }, files: await filesIn(await client.storage.getDirectory()), cached: await response?.text(), inside: await filesIn(await bucket.getDirectory()) };
}

async function filesIn(directory: FileSystemDirectoryHandle): Promise<Record<string, unknown>> {
  const found: [string, unknown][] = [];
  for await (const [name, handle] of directory) found.push([name, handle.kind === 'directory' ? await filesIn(handle as unknown as FileSystemDirectoryHandle) : await (await (handle as FileSystemFileHandle).getFile()).text()]);
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A root with an encrypted origin, what it has, and where there is room. */
export async function filledRoot(mark = 'first'): Promise<{ readonly root: string; readonly backups: string; readonly content: unknown; readonly host: StorageHost; readonly client: StorageClient }> {
  const place = temporaryDirectory();
  const root = path.join(place, 'root');
  const host = open(root);
  const client = host.origin(ORIGIN);
  await fill(client, mark);
  return { root, backups: path.join(place, 'backups'), content: await contentOf(client), host, client };
}

export const codeOf = (promise: Promise<unknown>): Promise<string> => promise.then(() => 'nothing was thrown', (error: { code?: string }) => error.code ?? String(error));

/** A record with a Blob. */
export async function fillDatabase(client: StorageClient): Promise<void> {
  await inDatabase(client, (store) => store.put({ text: CANARY, blob: new Blob([CANARY.repeat(1_000)]) }, CANARY));
}

async function inDatabase<T>(client: StorageClient, use: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const opening = client.indexedDB.open(`${CANARY}-database`);
  opening.onupgradeneeded = () => void opening.result.createObjectStore(`${CANARY}-store`);
  const database = await settled(opening);
  try {
    return await settled(use(database.transaction(`${CANARY}-store`, 'readwrite').objectStore(`${CANARY}-store`)));
  } finally {
    database.close();
  }
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('it failed'));
  });
}

export async function recordOf(client: StorageClient): Promise<unknown> {
  const { text, blob } = (await inDatabase(client, (store) => store.get(CANARY))) as { text: string; blob: Blob };
  return [text, await blob.text()];
}
