// One large database, and one of two million records, by the built package: how much memory they take, and how long the
// event loop waits. Part of npm run stress: node test/stress/main.mjs --database=5 (GiB) [--records=2000000]
import { subscribe } from 'node:diagnostics_channel';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StorageHost } from '../../dist/index.js';

const MIB = 2 ** 20;
const VALUE_BYTES = 32 * 1024;
const CHUNK = 250;

const settled = (request) => new Promise((resolve, reject) => Object.assign(request, { onsuccess: () => resolve(request.result), onerror: () => reject(request.error) }));
const completed = (transaction) => new Promise((resolve, reject) => Object.assign(transaction, { oncomplete: () => resolve(), onabort: () => reject(transaction.error) }));

/** Memory beyond what there was at first, and pauses of the loop, while something is done. */
async function watched(label, work) {
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  let [most, longest, last] = [0, 0, performance.now()];
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss() - before);
    longest = Math.max(longest, performance.now() - last - 10);
    last = performance.now();
  }, 10);
  const begin = performance.now();
  const cpu = process.cpuUsage();
  const result = await work();
  clearInterval(timer);
  const { user, system } = process.cpuUsage(cpu);
  console.log(`${label}: ${((performance.now() - begin) / 1000).toFixed(1)} s (CPU ${((user + system) / 1e6).toFixed(1)} s), at most ${Math.round(most / MIB)} MiB more, longest pause ${Math.round(longest)} ms${result === undefined ? '' : `, ${result}`}`);
  return most / MIB;
}

function iterate(request, visit) {
  return new Promise((resolve, reject) => {
    let count = 0;
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const cursor = request.result;
      if (cursor === null || visit(cursor) === false) return resolve(count);
      count += 1;
      cursor.continue();
    };
  });
}

async function large(db, gibibytes) {
  const count = Math.ceil((gibibytes * 2 ** 30) / VALUE_BYTES);
  const store = (mode) => db.transaction('large', mode).objectStore('large');
  const written = await watched(`write ${gibibytes} GiB`, async () => {
    for (let id = 0; id < count; ) {
      const large = store('readwrite');
      for (let left = CHUNK; left > 0 && id < count; left -= 1, id += 1) large.put({ id, bytes: new Uint8Array(VALUE_BYTES).fill(id) });
      await completed(large.transaction);
    }
  });
  const read = await watched('read 5,000 of it', async () => {
    for (let i = 0; i < 5000; i += 1) {
      const id = (i * 7919) % count;
      const value = await settled(store('readonly').get(id));
      if (value.bytes[5] !== id % 256) throw new Error(`record ${id} is not itself`);
    }
  });
  const iterated = await watched('iterate over it', () => iterate(store('readonly').openCursor(), ({ value, key }) => value.bytes[9] === key % 256));
  return Math.max(written, read, iterated);
}

async function many(db, count) {
  const store = (mode) => db.transaction('many', mode).objectStore('many');
  await watched(`put ${count} records with an index`, async () => {
    for (let id = 0; id < count; ) {
      const records = store('readwrite');
      for (let left = 10_000; left > 0 && id < count; left -= 1, id += 1) records.put({ id, name: `name ${id % 1000}`, text: 'a text of some length' });
      await completed(records.transaction);
    }
  });
  await watched('count', async () => settled(store('readonly').count()));
  await watched('cursor over 10,000', () => iterate(store('readonly').openCursor(IDBKeyRange.bound(count / 2, count / 2 + 9999)), () => true));
  await watched('delete half of them', async () => {
    const records = store('readwrite');
    records.delete(IDBKeyRange.lowerBound(count / 2, true));
    await completed(records.transaction);
    return settled(store('readonly').count());
  });
  await watched('clear', async () => {
    const records = store('readwrite');
    records.clear();
    await completed(records.transaction);
    return settled(store('readonly').count());
  });
}

let IDBKeyRange;

/** @returns whether memory stayed within the bound */
export async function runLarge(gibibytes, records) {
  const { install } = await import('../../dist/index.js');
  const scope = {};
  const root = mkdtempSync(join(tmpdir(), 'holdfast-large-'));
  install({ target: scope, globals: ['indexedDB'], root, origin: 'https://app.example' });
  ({ IDBKeyRange } = scope);
  const host = new StorageHost({ root });
  const checkpoints = [];
  subscribe('holdfast:checkpoint', ({ milliseconds }) => checkpoints.push(milliseconds));
  try {
    const request = host.origin('https://app.example').indexedDB.open('large', 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore('large', { keyPath: 'id' });
      request.result.createObjectStore('many', { keyPath: 'id' }).createIndex('name', 'name');
    };
    const db = await settled(request);
    const most = gibibytes > 0 ? await large(db, gibibytes) : 0;
    if (records > 0) await many(db, records);
    console.log(`${checkpoints.length} checkpoints of more than 10 ms, the longest ${Math.round(Math.max(0, ...checkpoints))} ms`);
    db.close();
    return most < 150;
  } finally {
    await host.close();
    rmSync(root, { recursive: true, force: true });
  }
}
