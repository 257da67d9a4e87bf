import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { checkClientOptions } from '../../src/sync/hubs/embedded/client-options.ts';
import { checkServerOptions } from '../../src/sync/hubs/embedded/server-options.ts';
import { settingsOf as natsSettings } from '../../src/sync/hubs/nats/options.ts';
import { settingsOf as postgresSettings } from '../../src/sync/hubs/postgres/options.ts';
import { startHub } from '../../src/sync/index.ts';

/*
 * What a library has put on `Object.prototype` is no option: neither one that is refused, nor one that is taken.
 */

const NAMES = [
  ...['url', 'token', 'tls', 'ca', 'cert', 'key', 'servername', 'rejectUnauthorized', 'tokenFile', 'port', 'host', 'maxConnections', 'maxLogs', 'maxUnnamedBytes'],
  ...['onWaiting', 'onError', 'connectionString', 'connection', 'ssl', 'schema', 'poolSize', 'pollInterval', 'user', 'pass', 'creds', 'servers'],
  ...['prefix', 'replicas', 'password', 'passphrase'],
];

const OTHER: unknown[] = ['polluted', 7, false, () => undefined, { host: 'polluted' }];

afterEach(clean);

function clean(): void {
  for (const name of NAMES) Reflect.deleteProperty(Object.prototype, name);
}

function pollute(value: unknown): void {
  for (const name of NAMES) Object.assign(Object.prototype, { [name]: value });
}

const READERS: Readonly<Record<string, () => object>> = {
  embeddedHub: () => checkClientOptions({ url: 'https://hub.example', token: 'secret', tls: {} }),
  'embeddedHub without tls': () => checkClientOptions({ url: 'https://hub.example', token: 'secret' }),
  startHub: () => checkServerOptions({ root: '/data', token: 'secret', tls: { cert: 'c', key: 'k' } }),
  natsHub: () => natsSettings({ servers: 'nats.example' }),
  'natsHub without options': () => natsSettings({}),
  postgresHub: () => postgresSettings({ connection: { database: 'd' } }),
};

/** As it is by its own properties, whatever its prototype has by now. */
function own(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof URL) return String(value);
  return Object.entries(value).map(([name, each]) => [name, own(each)]);
}

test.each(Object.keys(READERS))('%s reads the options that were given, and no others', (name) => {
  const read = READERS[name] ?? (() => ({}));
  const before = own(read());
  for (const value of OTHER) {
    pollute(value);
    const settings = own(read());
    clean();
    expect(settings).toEqual(before);
  }
});

test('a hub starts with the options that were given, and no others', async () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-options-'));
  Object.assign(Object.prototype, { tokenFile: '/nowhere', maxConnections: 0, maxLogs: 'many' });
  const starting = startHub({ root, token: 'secret', port: 0 });
  const hub = await starting.finally(clean);
  expect(hub.url).toMatch(/^http:\/\/127\.0\.0\.1:/);
  await hub.close();
  fs.rmSync(root, { recursive: true });
});
