// The bench's coordinator: calls of it in this process, or behind HTTP, or for other processes.
import { createServer } from 'node:http';
import { StorageHost } from 'holdfast';
import { Coordinator, Coordinators } from 'holdfast/coordinator';
import { warmUp } from '../warm-up.mjs';

export const ORIGIN = 'https://bench.example';

export class Counter extends Coordinator {
  read() {
    return Number(this.localStorage.getItem('n') ?? 0);
  }

  increment() {
    const next = this.read() + 1;
    this.localStorage.setItem('n', String(next));
    return next;
  }

  pid() {
    return process.pid;
  }

  wake(time) {
    this.state.setAlarm(time);
  }

  alarm() {}
}

const [root, step, durability = 'relaxed'] = process.argv.slice(2);
const host = new StorageHost({ root, durability });
const coordinators = new Coordinators(host, { Counter });
const get = (name) => coordinators.get(ORIGIN, Counter, name);
const print = (result) => console.log(JSON.stringify(result));

async function timed(count, call) {
  const start = performance.now();
  for (let n = 0; n < count; n += 1) await call(n);
  return ((performance.now() - start) * 1000) / count;
}

async function callInside() {
  const counter = get('counter');
  await warmUp(() => timed(1000, () => counter.increment()));
  await warmUp(() => timed(1000, () => counter.read()));
  print({ read: await timed(10_000, () => counter.read()), increment: await timed(10_000, () => counter.increment()) });
}

const IDLE = 2000;

/** In a process of its own: what is left of it would be taken for memory that those made later have given back. */
async function make() {
  for (let n = 0; n < IDLE; n += 1) await get(`idle-${n}`).increment();
  await coordinators.close();
  print({});
}

/**
 * What is in use. An ArrayBuffer that nobody has any more is given back some time after the collection that finds that out,
 * in another thread, and counts until then.
 */
async function memoryInUse() {
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return process.memoryUsage();
}

/** Coordinators that are there already, each by its first call; and what they take while they rest. */
async function activate() {
  const count = IDLE;
  await get('first').read();
  const before = await memoryInUse();
  const activation = await timed(count, (n) => get(`idle-${n}`).read());
  const after = await memoryInUse();
  const taken = after.heapUsed + after.external - before.heapUsed - before.external;
  print({ activation, memory: taken / 1024 / count });
}

/** Alarms in another decade, of coordinators of which none rests in memory for long. */
async function setAlarms() {
  const count = 100_000;
  const time = Date.now() + 3e11;
  const counters = Array.from({ length: 1000 }, (_, n) => get(`alarm-${n}`));
  for (const counter of counters) await counter.read();
  let n = 0;
  // Each is earlier than all before it, so that the index of all is told of it.
  const setSome = () => Promise.all(counters.map((counter) => counter.wake(time - (n += 1))));
  await warmUp(setSome);
  const before = process.cpuUsage();
  for (let left = count; left > 0; left -= counters.length) await setSome();
  const { user, system } = process.cpuUsage(before);
  print({ set: (user + system) / count });
}

function serveHttp() {
  const counter = get('counter');
  const server = createServer(async (request, response) => response.end(String(await counter[request.url.slice(1)]())));
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
}

const steps = {
  inside: callInside,
  make,
  activate,
  alarms: setAlarms,
  http: serveHttp,
  member: () => console.log('ready'),
};
await steps[step]();
if (step === 'http' || step === 'member') setInterval(() => {}, 1000);
else process.exit(0);
