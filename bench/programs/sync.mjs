// One measurement of an origin in a hub's order. argv: step, root, engine as JSON, then what the step takes.
import { StorageHost } from 'holdfast';
import { openHub } from '../../scripts/hubs.mjs';

const [step, root, engine, ...args] = process.argv.slice(2);
const origin = 'https://bench.example';
const hub = openHub(JSON.parse(engine));
const filler = 'x'.repeat(90);
/** Until the compiler has seen all of it. */
const coldRounds = 4;
let counter = 0;
const value = () => `${(counter += 1)}`.padStart(10, '0') + filler;

const synced = (region = 'bench', files = 'off') => new StorageHost({ root, sync: { hub, region, files } });

function write({ localStorage }, count) {
  for (let i = 0; i < count; i += 1) localStorage.setItem(`key ${i % 1000}`, value());
}

async function milliseconds(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

const steps = {
  /** Microseconds of a call, without sync and with it, in rounds that take turns. What is sent is sent between rounds. */
  async setItem(count, rounds) {
    const plain = new StorageHost({ root: `${root}-plain` }).origin(origin);
    const app = synced().origin(origin);
    const times = { off: [], on: [] };
    for (let round = -coldRounds; round < rounds; round += 1) {
      const off = await milliseconds(() => write(plain, count));
      const on = await milliseconds(() => write(app, count));
      await app.sync.flush();
      if (round < 0) continue;
      times.off.push((off * 1000) / count);
      times.on.push((on * 1000) / count);
    }
    return times;
  },
  /** Operations a second that come into the order, over some origins. */
  async throughput(origins, count, rounds) {
    const host = synced();
    const clients = Array.from({ length: origins }, (_, index) => host.origin(`https://tenant-${index}.example`));
    const all = async (each) => {
      for (const client of clients) write(client, each);
      await Promise.all(clients.map(({ sync }) => sync.flush()));
    };
    await all(1);
    const rates = [];
    for (let round = 0; round < rounds; round += 1) {
      rates.push((count / (await milliseconds(() => all(count / origins)))) * 1000);
    }
    return { rates };
  },
  /** Appends a second that are confirmed: to each of some logs the next one when the one before is. */
  async confirmed(logs, count, rounds) {
    const bytes = new Uint8Array(200);
    const handles = Array.from({ length: logs }, (_, index) => hub.log(`https://tenant-${index}.example`));
    const append = (log) => log.append([{ id: `confirmed.${(counter += 1)}`, bytes }]);
    const each = async (log, times) => {
      for (let time = 0; time < times; time += 1) await append(log);
    };
    const all = (times) => Promise.all(handles.map((log) => each(log, times)));
    await all(1);
    const rates = [];
    for (let round = 0; round < rounds; round += 1) rates.push((count / (await milliseconds(() => all(count / logs)))) * 1000);
    return { rates };
  },
  /** A log of so many operations that somebody has made a snapshot of it. */
  async fill(count) {
    const app = synced().origin(origin);
    write(app, count);
    await app.sync.flush();
    // It is made after an entry of one's own, as soon as enough is new.
    while ((await hub.log(origin).snapshot()) === null) {
      write(app, 1000);
      await app.sync.flush();
    }
    return { entries: (await hub.log(origin).head()).position };
  },
  /** Has the hub forget what its snapshot stands for. */
  async trim() {
    const { position } = await hub.log(origin).snapshot();
    await hub.log(origin).trim(position);
    return { position };
  },
  /** Milliseconds until a new region has everything. */
  async join() {
    const app = synced('fresh').origin(origin);
    const time = await milliseconds(() => app.sync.caughtUp());
    if (app.localStorage.length !== 1000) throw new Error(`${app.localStorage.length} keys have come`);
    return { time };
  },
};

await hub.connect();
console.log(JSON.stringify(await steps[step](...args.map(Number))));
process.exit(0);
