import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { freePort, reachable, serverFolder, ServerMissing, ServerProcess, serverUser, type RealServer } from './server.ts';

/** A NATS server with JetStream, which the user `holdfast` may use. */
export interface NatsServer extends RealServer {
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

/** What differs from the settings that the tests of the adapter use. */
export interface NatsServerSettings {
  readonly jetstream?: boolean;
  /** Further lines of the configuration. */
  readonly lines?: string;
  /** Its `permissions`, as the configuration has them; all by default. */
  readonly permissions?: string;
}

/** Debian puts it where only root's PATH looks. */
const PLACES = ['nats-server', '/usr/sbin/nats-server', '/usr/local/bin/nats-server'];

function program(): string {
  const found = PLACES.find((place) => {
    try {
      execFileSync(place, ['--version'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
  if (found === undefined) throw new ServerMissing('no nats-server on this machine');
  return found;
}

/**
 * Starts a nats-server of one's own, with the settings that it comes with: what it syncs is what it syncs in production.
 *
 * @throws ServerMissing
 */
export async function startNats(settings: NatsServerSettings = {}): Promise<NatsServer> {
  const command = program();
  const user = serverUser();
  const folder = serverFolder(user);
  const port = await freePort();
  const password = crypto.randomUUID();
  const configuration = path.join(folder, 'server.conf');
  const { jetstream = true, lines = '', permissions } = settings;
  const account = `user: holdfast, password: "${password}"${permissions === undefined ? '' : `, permissions: ${permissions}`}`;
  const text = [
    `listen: "127.0.0.1:${port}"`,
    jetstream ? `jetstream: { store_dir: "${path.join(folder, 'data')}" }` : '',
    `authorization: { users: [{ ${account} }, { user: admin, password: "${password}" }] }`,
    lines,
  ];
  fs.writeFileSync(configuration, text.join('\n'));
  const server = new ServerProcess(port, folder, user, { command, args: ['-c', configuration], ready: () => reachable(port) });
  await server.restart();
  return Object.assign(server, { url: `nats://127.0.0.1:${port}`, user: 'holdfast', password });
}
