// Writes to localStorage, locks and files of a root until it is killed.
import { StorageHost } from '../../src/host/storage-host.ts';

const [root = ''] = process.argv.slice(2);
const { localStorage, locks, storage } = new StorageHost({ root }).origin('https://app.example');
const directory = await storage.getDirectory();
process.send?.('writing');
for (let index = 0; ; index += 1) {
  localStorage.setItem(`key ${index % 8}`, 'x'.repeat((index * 977) % 60_000));
  await locks.request('job', () => undefined);
  if (index % 8 > 0) continue;
  const writable = await (await directory.getFileHandle(`file ${index % 5}`, { create: true })).createWritable();
  await writable.write('x'.repeat(index % 5000));
  await writable.close();
}
