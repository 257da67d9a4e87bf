import fs from 'node:fs';
import path from 'node:path';
import { onTestFinished, test, expect } from 'vitest';
import '../../src/host/indexed-db/provided.ts';
import type { EncryptionOptions } from '../../src/host/encryption/options.ts';
import { StorageHost } from '../../src/index.ts';
import { temporaryDirectory } from '../journal/support/place.ts';
import { codeLater, codeOfCause, snapshotOf } from './support.ts';
import { KEY, write } from './sync-regions.ts';

const ORIGIN = 'https://a.example';

function open(root: string, encryption: EncryptionOptions): StorageHost {
  const host = new StorageHost({ root, encryption });
  onTestFinished(() => host.close());
  return host;
}

test('an origin that has lost its file of keys says so, and gets no others in their place', async () => {
  const root = path.join(temporaryDirectory(), 'root');
  const host = open(root, { key: KEY });
  host.origin(ORIGIN).localStorage.setItem('k', 'v');
  await write(host.origin(ORIGIN), 'file', 'content');
  await host.close();
  const keys = path.join(root, 'origins/https_a.example/keys');
  const bytes = fs.readFileSync(keys);
  fs.unlinkSync(keys);
  const before = snapshotOf(root);
  for (const plain of ['refuse', 'migrate'] as const) {
    const other = open(root, { key: KEY, plain });
    const client = other.origin(ORIGIN);
    const attempts: Readonly<Record<string, () => unknown>> = {
      read: () => client.localStorage.getItem('k'),
      write: () => client.localStorage.setItem('k', 'w'),
      file: () => write(client, 'file', 'other'),
      rekey: () => other.rekey(ORIGIN),
      encrypt: () => other.encrypt(ORIGIN),
    };
    for (const [what, attempt] of Object.entries(attempts)) expect(await codeLater(Promise.resolve().then(attempt)), `${plain}: ${what}`).toBe('key-missing');
    await other.close();
    expect(snapshotOf(root), plain).toEqual(before);
  }
  fs.writeFileSync(keys, bytes);
  expect(open(root, { key: KEY, plain: 'migrate' }).origin(ORIGIN).localStorage.getItem('k')).toBe('v');
});

test('storage that a wrong key keeps out of reach is a SecurityError of every interface', async () => {
  const root = path.join(temporaryDirectory(), 'root');
  const host = open(root, { key: KEY });
  host.origin(ORIGIN).localStorage.setItem('k', 'v');
  await host.close();
  const client = open(root, { key: new Uint8Array(32).fill(9) }).origin(ORIGIN);
  const opening = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const request = client.indexedDB.open('d');
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error as DOMException);
    });
  const attempts: Readonly<Record<string, () => Promise<unknown>>> = {
    files: () => client.storage.getDirectory(),
    'estimate()': () => client.storage.estimate(),
    'a lock': () => client.locks.request('l', () => undefined),
    'locks.query()': () => client.locks.query(),
    'a cache': () => client.caches.open('c'),
    'a database': opening,
    'databases()': () => client.indexedDB.databases(),
  };
  for (const [what, attempt] of Object.entries(attempts)) {
    const error: unknown = await attempt().catch((thrown: unknown) => thrown);
    expect([(error as DOMException).name, codeOfCause(error)], what).toEqual(['SecurityError', 'key-wrong']);
  }
});
