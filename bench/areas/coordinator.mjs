// Coordinators beside workerd, whose Durable Object does the same on the same disk.
//
// What is compared with what: workerd calls fsync() once for each commit (as counted by strace: 100 for 100 increments), and
// its output gate holds results until then. That is what `strict` does here, once for all that wait; `relaxed` leaves it
// to the kernel, so no kill loses what was acknowledged, but a power failure may lose the last seconds.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { alone, median } from '../alone.mjs';
import { binaries } from '../peers.mjs';
import { startWorkerd } from '../programs/workerd.mjs';
import { warmUp } from '../warm-up.mjs';

const works = [
  { id: 'read', label: 'call in process: read', unit: 'µs' },
  { id: 'increment', label: 'call in process: increment', unit: 'µs' },
  { id: 'httpRead', label: 'behind HTTP, 64 at once: read', unit: 'µs' },
  { id: 'httpRelaxed', label: 'behind HTTP, 64 at once: increment', unit: 'µs' },
  { id: 'httpStrict', label: 'behind HTTP, 64 at once: increment, strict', unit: 'µs' },
  { id: 'farRead', label: 'call from another process: read', unit: 'µs' },
  { id: 'far', label: 'call from another process: increment', unit: 'µs' },
  { id: 'activation', label: 'activation', unit: 'µs' },
  { id: 'memory', label: 'memory of one that rests', unit: 'KiB' },
  { id: 'takeover', label: 'after SIGKILL to the next answer, 99 %', unit: 'ms' },
  { id: 'alarm', label: 'set one of 100,000 alarms', unit: 'µs of CPU' },
];

/** Calls within one request, and requests of a round. */
const TIMES = 2000;
const REQUESTS = 6400;
const CONNECTIONS = 64;
const KILLS = 20;

const program = fileURLToPath(new URL('../programs/coordinator.mjs', import.meta.url));

/** A server of ours behind HTTP. */
async function startServer(root, durability) {
  const child = spawn(binaries.node, ['--no-warnings', program, root, 'http', durability], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout, 'data');
  return { port: Number(line), close: () => child.kill('SIGKILL') };
}

/** One connection, with one request after another, while there are any left. */
function connection(port, path, take) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1');
    const next = () => (take() ? socket.write(`GET ${path} HTTP/1.1\r\nhost: bench\r\n\r\n`) : socket.end(resolve));
    let text = '';
    socket.on('connect', next);
    socket.on('error', reject);
    socket.on('data', (data) => {
      text += data;
      const body = text.indexOf('\r\n\r\n');
      if (body < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? Number.NaN);
      if (Number.isNaN(length) ? !text.endsWith('\r\n0\r\n\r\n') : text.length < body + 4 + length) return;
      if (!text.startsWith('HTTP/1.1 200')) return void reject(new Error(`it answers ${text.slice(0, 80)}`));
      text = '';
      next();
    });
  });
}

/** Microseconds for each of very many requests, 64 at once. */
async function load(port, path) {
  let left = REQUESTS;
  const start = performance.now();
  await Promise.all(Array.from({ length: CONNECTIONS }, () => connection(port, path, () => (left -= 1) >= 0)));
  return ((performance.now() - start) * 1000) / REQUESTS;
}

async function within(port, method) {
  const start = performance.now();
  await (await fetch(`http://127.0.0.1:${port}/${method}?times=${TIMES}`)).text();
  return ((performance.now() - start) * 1000) / TIMES;
}

/** Both sides, taking turns, once they are warm. */
async function compare(rounds, sides, say) {
  const samples = Object.fromEntries(Object.keys(sides).map((side) => [side, []]));
  for (const measured of Object.values(sides)) await warmUp(measured);
  for (let round = 1; round <= rounds; round += 1) {
    for (const [side, measured] of Object.entries(sides)) {
      say(side, round);
      samples[side].push(await measured());
    }
  }
  return Object.fromEntries(Object.entries(samples).map(([side, values]) => [side, median(values)]));
}

async function behindHttp(workerd, { root, rounds, say }) {
  const results = {};
  for (const [id, method, durability] of [['httpRead', 'read', 'relaxed'], ['httpRelaxed', 'increment', 'relaxed'], ['httpStrict', 'increment', 'strict']]) {
    const server = await startServer(join(root, `http-${id}`), durability);
    const sides = { holdfast: () => load(server.port, `/${method}`), ...(workerd && { workerd: () => load(workerd.port, `/${method}`) }) };
    results[id] = await compare(rounds, sides, (side, round) => say(`coordinator: ${id}, round ${round}/${rounds}, ${side}`));
    server.close();
  }
  return results;
}

async function inside(workerd, { root, rounds, say }) {
  const results = { read: {}, increment: {} };
  const runs = [];
  const others = { read: [], increment: [] };
  // Ours are new processes, which warm up by themselves.
  if (workerd) for (const method of ['read', 'increment']) await warmUp(() => within(workerd.port, method));
  for (let round = 0; round < Math.min(rounds, 5); round += 1) {
    say(`coordinator: calls in process, round ${round + 1}`);
    runs.push(alone('coordinator', join(root, `inside-${round}`), 'inside'));
    if (workerd) for (const method of ['read', 'increment']) others[method].push(await within(workerd.port, method));
  }
  for (const method of ['read', 'increment']) {
    results[method] = { holdfast: median(runs.map((run) => run[method])), ...(workerd && { workerd: median(others[method]) }) };
  }
  return results;
}

export async function measure({ root: folder, rounds, say }) {
  const root = join(folder, 'coordinator');
  mkdirSync(root);
  const absent = {};
  const workerd = await startWorkerd(binaries.workerd, join(root, 'workerd')).catch((error) => {
    absent.workerd = error.message.split('\n')[0];
    return null;
  });
  const results = { ...(await inside(workerd, { root, rounds, say })), ...(await behindHttp(workerd, { root, rounds, say })) };
  workerd?.close();
  say('coordinator: calls from another process');
  const { read, increment, bare } = alone('coordinator-caller', join(root, 'far'), 'far');
  say('coordinator: kills');
  const { p99 } = alone('coordinator-caller', join(root, 'takeover'), 'takeover', String(KILLS));
  say('coordinator: activation, memory and alarms');
  alone('coordinator', join(root, 'activation'), 'make');
  const { activation, memory } = alone('coordinator', join(root, 'activation'), 'activate');
  const { set } = alone('coordinator', join(root, 'alarms'), 'alarms');
  Object.assign(results, {
    farRead: { holdfast: read, limit: bare },
    far: { holdfast: increment, limit: bare },
    activation: { holdfast: activation },
    memory: { holdfast: memory },
    takeover: { holdfast: p99 },
    alarm: { holdfast: set },
  });
  return { area: 'coordinator', works, order: ['limit', 'holdfast', 'workerd'], results, absent };
}
