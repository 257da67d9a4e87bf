// A disk that takes its time: every synchronous call of node:fs holds the thread, every other holds only its answer.
import fs from 'node:fs';
import { StorageHost } from 'holdfast';

const [root, milliseconds] = process.argv.slice(2);
const delay = Number(milliseconds);
const sleeper = new Int32Array(new SharedArrayBuffer(4));

const host = new StorageHost({ root });
const directory = await host.origin('https://slow.example').storage.getDirectory();
const content = new Uint8Array(8 * 2 ** 20);
const write = async (name) => {
  const writable = await (await directory.getFileHandle(name, { create: true })).createWritable();
  await writable.write(content);
  await writable.close();
};
await write('warm');

for (const name of Object.keys(fs)) {
  const real = fs[name];
  if (typeof real !== 'function' || !name.endsWith('Sync')) continue;
  fs[name] = (...args) => {
    Atomics.wait(sleeper, 0, 0, delay);
    return real(...args);
  };
}

/** The longest time for which no timer could run while `work` did, in milliseconds. */
async function longestPause(work) {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 1);
  await work();
  clearInterval(timer);
  return Math.max(longest, performance.now() - last);
}

console.log(
  JSON.stringify({
    create: await longestPause(() => directory.getFileHandle('new', { create: true })),
    write: await longestPause(() => write('large')),
    read: await longestPause(async () => (await (await directory.getFileHandle('warm')).getFile()).arrayBuffer()),
    tree: await longestPause(async () => {
      for (let i = 0; i < 200; i += 1) await directory.getFileHandle(`f${i}`, { create: true });
    }),
  }),
);
process.exit(0);
