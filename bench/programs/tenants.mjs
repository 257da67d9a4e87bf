import { readdirSync } from 'node:fs';
import { StorageHost } from 'holdfast';

const [root, step] = process.argv.slice(2);
const count = 10_000;
const host = new StorageHost({ root });
const clients = [];

globalThis.gc();
const before = process.memoryUsage().heapUsed;
const start = performance.now();
for (let i = 0; i < count; i += 1) {
  const client = host.origin(`https://tenant-${i}.example`);
  if (step === 'make') client.localStorage.setItem('item', `value ${i}`);
  else if (client.localStorage.getItem('item') !== `value ${i}`) throw new Error(`tenant ${i} lost its item`);
  clients.push(client);
}
const milliseconds = performance.now() - start;
globalThis.gc();
const after = process.memoryUsage().heapUsed;
console.log(
  JSON.stringify({
    microseconds: (milliseconds * 1000) / count,
    kibibytes: (after - before) / 1024 / clients.length,
    descriptors: readdirSync('/proc/self/fd').length,
  }),
);
process.exit(0);
