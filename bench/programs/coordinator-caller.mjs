// Calls of a coordinator in another process: how long they take beside a bare round trip, and after that process is killed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StorageHost } from 'holdfast';
import { Coordinators } from 'holdfast/coordinator';
import { warmUp } from '../warm-up.mjs';

const [root, step, kills] = process.argv.slice(2);
const ORIGIN = 'https://bench.example';
const program = fileURLToPath(new URL('coordinator.mjs', import.meta.url));
const host = new StorageHost({ root });
const counter = new Coordinators(host, {}).get(ORIGIN, 'Counter', 'counter');

async function addMember() {
  const member = spawn(process.execPath, [program, root, 'member'], { stdio: ['ignore', 'pipe', 'inherit'] });
  process.on('exit', () => member.kill('SIGKILL'));
  await once(member.stdout, 'data');
  return member;
}

async function timed(count, call) {
  const start = performance.now();
  for (let n = 0; n < count; n += 1) await call();
  return ((performance.now() - start) * 1000) / count;
}

/** As many bytes there and back as a call has, through another process that does nothing with them. */
async function bareTrip() {
  const path = join(root, '..', 'bare.sock');
  const echo = `require('node:net').createServer((socket) => socket.on('data', (data) => socket.write(data))).listen(${JSON.stringify(path)}, () => console.log('ready'))`;
  const other = spawn(process.execPath, ['-e', echo], { stdio: ['ignore', 'pipe', 'inherit'] });
  process.on('exit', () => other.kill('SIGKILL'));
  await once(other.stdout, 'data');
  const socket = net.connect(path);
  let heard;
  socket.on('data', () => heard());
  const bytes = Buffer.alloc(150);
  return () => new Promise((resolve) => {
    heard = resolve;
    socket.write(bytes);
  });
}

async function callFar() {
  await addMember();
  const bare = await bareTrip();
  const calls = { read: () => counter.read(), increment: () => counter.increment(), bare };
  const samples = { read: [], increment: [], bare: [] };
  await counter.increment();
  // All sides: the caller and the owner, and both ends of the bare trip.
  for (const call of Object.values(calls)) await warmUp(() => timed(1000, call));
  for (let round = 0; round < 41; round += 1) {
    for (const [name, call] of Object.entries(calls)) samples[name].push(await timed(1000, call));
  }
  const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
  console.log(JSON.stringify(Object.fromEntries(Object.entries(samples).map(([name, values]) => [name, median(values)]))));
}

/** Milliseconds from the kill of whoever runs the coordinator to the next answer. */
async function takeOver() {
  const members = [await addMember(), await addMember()];
  const delays = [];
  await counter.increment();
  for (let n = 0; n < Number(kills); n += 1) {
    const pid = await counter.pid();
    const at = members.findIndex((member) => member.pid === pid);
    members[at].kill('SIGKILL');
    const start = performance.now();
    await counter.increment();
    delays.push(performance.now() - start);
    members[at] = await addMember();
  }
  delays.sort((a, b) => a - b);
  console.log(JSON.stringify({ median: delays[Math.floor(delays.length / 2)], p99: delays[Math.ceil(0.99 * delays.length) - 1] }));
}

await (step === 'far' ? callFar : takeOver)();
process.exit(0);
