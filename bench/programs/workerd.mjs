// workerd with a Durable Object on a disk, and its end.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync, copyFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const worker = fileURLToPath(new URL('workerd/worker.mjs', import.meta.url));

function config(directory, port) {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main), (name = "disk", disk = (path = ${JSON.stringify(directory)}, writable = true))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.mjs")],
  compatibilityDate = "2025-10-01",
  durableObjectNamespaces = [(className = "Counter", uniqueKey = "counter", enableSql = true)],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [(name = "COUNTER", durableObjectNamespace = "Counter")],
);
`;
}

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Starts it; resolves when it answers. @throws where it does not */
export async function startWorkerd(binary, folder) {
  const disk = join(folder, 'disk');
  mkdirSync(disk, { recursive: true });
  copyFileSync(worker, join(folder, 'worker.mjs'));
  const port = await freePort();
  writeFileSync(join(folder, 'config.capnp'), config(disk, port));
  const child = spawn(binary, ['serve', join(folder, 'config.capnp')], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (data) => (said += data));
  for (let attempt = 0; attempt < 200 && child.exitCode === null; attempt += 1) {
    const answer = await fetch(`http://127.0.0.1:${port}/read`).then((response) => response.ok, () => false);
    if (answer) return { port, pid: child.pid, close: () => child.kill('SIGKILL') };
    await delay(50);
  }
  child.kill('SIGKILL');
  throw new Error(`workerd does not answer: ${said}`);
}
