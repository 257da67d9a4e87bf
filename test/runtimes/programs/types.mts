// Checked, never run: what a user's program may say, under each runtime's own types.
import 'holdfast/globals';
import { HoldfastError, install, serializeHandle, StorageHost } from 'holdfast';
import type { StorageClient, StorageHostOptions } from 'holdfast';

localStorage.setItem('a', 'b');
export const value: string | null = sessionStorage.getItem('a');
export const root: FileSystemDirectoryHandle = await navigator.storage.getDirectory();
export const file: FileSystemFileHandle = await root.getFileHandle('f', { create: true });
const writable = await file.createWritable({ keepExistingData: true });
await writable.write('x');
await writable.close();
export const text: string = await (await file.getFile()).text();
const handle = await file.createSyncAccessHandle();
export const read: number = handle.read(new Uint8Array(4), { at: 0 });
export const held: number = await navigator.locks.request('l', async (lock) => lock?.name.length ?? 0);
const cache: Cache = await caches.open('pages');
await cache.put('/page', new Response('x'));
export const found: string | undefined = await (await caches.match('/page', { ignoreSearch: true }))?.text();
for await (const [name, entry] of root.entries()) console.log(name, entry.kind);

const options: StorageHostOptions = { root: './data', quota: 5, durability: 'strict' };
const host = new StorageHost(options);
const visitor: StorageClient = host.client('https://a.example', { url: '/x' });
visitor.addEventListener('storage', (event) => console.log(event.type));
export const result: number = host.run(visitor, () => 5);
export const undo: () => void = install({ host, exposure: 'window', structuredClone: true });
export const again = host.deserializeHandle(serializeHandle(await visitor.storage.getDirectory()), visitor);

try {
  await host.close();
} catch (error) {
  if (error instanceof HoldfastError && error.code === 'closed') console.log(error.message);
}

// @ts-expect-error: the types are not any
host.run(5);
// @ts-expect-error: nor are the globals'
localStorage.setItem('a');
