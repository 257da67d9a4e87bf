/* A process that writes for ever, and keeps an order between all that it writes. */
import { setTimeout } from 'node:timers/promises';
import { StorageHost } from '../../src/host/storage-host.ts';
import { encrypted } from '../support/sealed.ts';

const [root = '', id = '', origin = ''] = process.argv.slice(2);
const client = new StorageHost({ root, ...encrypted }).origin(origin);
const directory = await client.storage.getDirectory();
const cache = await client.caches.open('cache');
const { localStorage } = client;

// What a killed one had begun is done again. The file of the second step stays: made anew, it would be empty for a while.
let count = Math.max(0, Number(localStorage.getItem(`${id} first`)) - 1);
const own = await directory.getDirectoryHandle(`of ${id}`, { create: true });
for await (const name of own.keys()) if (name === 'in place') await own.removeEntry(name);
const moving = await moved();
const inPlace = await own.getFileHandle('in place', { create: true });
const access = await inPlace.createSyncAccessHandle();

/** The one file whose name is a number. */
async function moved(): Promise<FileSystemFileHandle> {
  for await (const name of own.keys()) if (name.startsWith('at ')) return (await own.getFileHandle(name)) as unknown as FileSystemFileHandle;
  return (await own.getFileHandle('at 0', { create: true })) as unknown as FileSystemFileHandle;
}

void (async (): Promise<void> => {
  for (let byte = 1; ; byte = (byte % 250) + 1) {
    access.write(Buffer.alloc(16_384, byte), { at: 0 });
    // Now and then it rests for so long that a backup finds a moment on any machine.
    await setTimeout(byte % 10 === 0 ? 1500 : 80);
  }
})();

process.send?.('ready');
for (;;) {
  count += 1;
  localStorage.setItem(`${id} first`, String(count));
  const writable = await (await own.getFileHandle('counted', { create: true })).createWritable();
  await writable.write(String(count));
  await writable.close();
  localStorage.setItem(`${id} second`, String(count));
  await cache.put(`https://app.example/${id}`, new Response(String(count)));
  localStorage.setItem(`${id} third`, String(count));
  await (moving as unknown as { move(name: string): Promise<void> }).move(`at ${count}`);
  localStorage.setItem(`${id} fourth`, String(count));
  if (count % 16 === 0) for (let index = 0; index < 500; index += 1) localStorage.setItem(`${id} bulk`, 'x'.repeat(3000) + index);
}
