// Hubs for demonstrations and measurements: each is a process that can be killed, with its data in a temporary folder.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { embeddedHub, natsHub, postgresHub } from 'holdfast/sync';
import { startNats, startPostgres } from './real-servers.mjs';

const command = fileURLToPath(new URL('../dist/cli.js', import.meta.url));

/**
 * Starts a hub, or tells why it cannot be had here and gives null.
 *
 * @param kind postgres, nats or embedded
 * @param folder for the data of an embedded one
 * @returns {Promise<null | { name: string, port: number, engineAt: (port: number) => object, kill(): Promise<void>,
 *   restart(): Promise<void>, dispose(): Promise<void> }>} `engineAt`: what `openHub` needs to come to it by that port
 */
export async function startHub(kind, folder, onMissing) {
  const start = starters[kind];
  if (start === undefined) throw new Error(`there is no hub '${kind}'; there are ${Object.keys(starters).join(', ')}`);
  return start(onMissing, folder);
}

const starters = {
  async postgres(onMissing) {
    const server = await startPostgres(onMissing);
    const engineAt = (port) => ({ kind: 'postgres', connectionString: server.url().replace(`:${server.port}/`, `:${port}/`) });
    return server && realHub('PostgreSQL', server, engineAt);
  },
  async nats(onMissing) {
    const server = await startNats(onMissing);
    const engineAt = (port) => ({ kind: 'nats', servers: `127.0.0.1:${port}`, user: server.user, pass: server.password });
    return server && realHub('NATS JetStream', server, engineAt);
  },
  embedded: (onMissing, folder) => EmbeddedHub.start(folder),
};

/** In a process that uses it. */
export function openHub({ kind, ...options }) {
  return { postgres: postgresHub, nats: natsHub, embedded: embeddedHub }[kind](options);
}

function realHub(name, server, engineAt) {
  return { name, port: server.port, engineAt, kill: () => server.kill(), restart: () => server.restart(), dispose: () => server.dispose() };
}

class EmbeddedHub {
  name = 'The embedded hub';
  port = 0;
  #token = randomUUID();
  #folder;
  #child;

  static async start(folder) {
    const hub = new EmbeddedHub();
    hub.#folder = folder;
    mkdirSync(folder);
    writeFileSync(hub.#tokenFile, hub.#token, { mode: 0o600 });
    await hub.restart();
    return hub;
  }

  get #tokenFile() {
    return join(this.#folder, 'token');
  }

  engineAt(port) {
    return { kind: 'embedded', url: `http://127.0.0.1:${port}`, token: this.#token };
  }

  async restart() {
    await this.kill();
    const args = [command, 'hub', '--root', join(this.#folder, 'root'), '--token-file', this.#tokenFile, '--port', String(this.port)];
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await Promise.race([once(createInterface({ input: this.#child.stdout }), 'line'), once(this.#child, 'exit')]);
    const [, port] = /:(\d+)/.exec(String(line)) ?? [];
    if (port === undefined) throw new Error('the embedded hub did not start');
    this.port = Number(port);
  }

  async kill() {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  dispose() {
    return this.kill();
  }
}
