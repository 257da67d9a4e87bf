import { Blob, File } from 'node:buffer';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { opened, result } from '../../indexed-db/support/promises.ts';
import { temporaryDirectory } from '../../journal/support/place.ts';
import { snapshotOf, treeHas } from '../support.ts';
import { closeHosts, codeBehindLater, databasesIn, directoryIn, factoryOf, get, hostOf, key, ORIGIN, put } from './support.ts';

const LARGE = 70_000;

afterEach(closeHosts);

const values: Record<string, unknown> = {
  undefined: undefined,
  text: 'canary-value ü€\ud800',
  object: { 'canary-property': ['canary-nested', null, 1.5, -0, 10n ** 30n], date: new Date(5), pattern: /canary-pattern/gi },
  collections: new Map<unknown, unknown>([[new Set(['canary-member']), new Uint8Array([1, 2, 3])]]),
  error: new RangeError('canary-error'),
  buffer: new Uint8Array(5000).fill(9).buffer,
  large: `${'x'.repeat(LARGE)}canary-at-the-end-of-a-large-value`,
};

describe('databases of an encrypted origin', () => {
  test('keep every kind of value for every host with the key, and show nothing', async () => {
    const root = temporaryDirectory();
    const one = await opened(factoryOf(root), 'canary-database', (made) => {
      made.createObjectStore('canary-store').createIndex('canary-index', 'canaryPath');
    });
    expect(await put(one, 'canary-store', Object.entries(values))).toBe('complete');
    const blob = new Blob(['canary-of-a-blob', 'y'.repeat(LARGE)], { type: 'text/canary-type' });
    const file = new File(['canary-of-a-file'], 'canary-file-name', { lastModified: 7 });
    expect(await put(one, 'canary-store', [['blob', { blob, both: [file, blob] }], ['canary-key', { 'canaryPath': 'canary-index-key' }]], 'strict')).toBe('complete');
    const other = await opened(factoryOf(root), 'canary-database');
    for (const [name, value] of Object.entries(values)) expect(await get(other, 'canary-store', name), name).toEqual(value);
    const read = (await get(other, 'canary-store', 'blob')) as { blob: Blob; both: [File, Blob] };
    expect([read.blob.size, read.blob.type, await read.blob.text()]).toEqual([blob.size, blob.type, await blob.text()]);
    expect([read.both[0].name, read.both[0].lastModified, await read.both[0].text()]).toEqual(['canary-file-name', 7, 'canary-of-a-file']);
    expect(await read.both[1].slice(7, 16).text()).toBe('of-a-blob');
    expect(await result(other.transaction('canary-store').objectStore('canary-store').index('canary-index').getKey('canary-index-key'))).toBe('canary-key');
    expect(await factoryOf(root).databases()).toEqual([{ name: 'canary-database', version: 1 }]);
    expect([treeHas(root, 'canary'), treeHas(root, 'SQLite'), treeHas(root, 'wasm')]).toEqual([[], [], []]);
    expect(fs.readdirSync(databasesIn(root))).toEqual([expect.stringMatching(/^[0-9a-v]{26}$/)]);
  });

  test('are deleted, upgraded and listed by any name, and take what the estimate says', async () => {
    const root = temporaryDirectory();
    const client = hostOf(root).client(ORIGIN);
    const names = ['', 'a/b', '\ud800', 'x'.repeat(3000), '.new-x'];
    for (const [nth, name] of names.entries()) (await opened(client.indexedDB, name, () => undefined, nth + 1)).close();
    const listed = await factoryOf(root).databases();
    expect(new Map(listed.map(({ name, version }) => [name, version]))).toEqual(new Map(names.map((name, nth) => [name, nth + 1])));
    expect(new Set(fs.readdirSync(databasesIn(root)).map((name) => name.length))).toEqual(new Set([26]));
    const { usageDetails = {} } = (await client.storage.estimate()) as { usageDetails?: { indexedDB?: number } };
    expect(usageDetails.indexedDB).toBeGreaterThan(names.length * 8192);
    for (const name of names) await result(client.indexedDB.deleteDatabase(name));
    expect(await factoryOf(root).databases()).toEqual([]);
  });

  test('ask for a key that is there and right, before anything is written', async () => {
    const root = temporaryDirectory();
    const database = await opened(factoryOf(root), 'd', (made) => void made.createObjectStore('s'));
    await put(database, 's', [[1, 'one']]);
    await closeHosts();
    const before = snapshotOf(root);
    expect(await codeBehindLater(opened(factoryOf(root, { key: key.map((byte) => byte ^ 1) }), 'd'))).toBe('key-wrong');
    expect(await codeBehindLater(opened(factoryOf(root, null as never), 'd'))).toBe('key-missing');
    expect(await codeBehindLater(opened(factoryOf(root, { keyFor: () => Promise.reject(new Error('away')) }), 'd'))).toBe('key-missing');
    await closeHosts();
    expect(snapshotOf(root)).toEqual(before);
    const late = factoryOf(root, { keyFor: () => new Promise((resolve) => setTimeout(() => resolve(key), 50)) });
    expect(await get(await opened(late, 'd'), 's', 1)).toBe('one');
  });

  test('are read with a former data key, and new ones get the new key', async () => {
    const root = temporaryDirectory();
    const host = hostOf(root);
    const database = await opened(host.client(ORIGIN).indexedDB, 'd', (made) => void made.createObjectStore('s'));
    await put(database, 's', [[1, new Blob(['before'])]]);
    expect(await host.rekey(ORIGIN, { dataKey: true })).toBe(true);
    await put(database, 's', [[2, new Blob(['after'])]]);
    const other = await opened(factoryOf(root), 'd');
    const texts = await Promise.all([1, 2].map(async (at) => ((await get(other, 's', at)) as Blob).text()));
    expect(texts).toEqual(['before', 'after']);
    const keys = fs.readdirSync(path.join(directoryIn(root), 'blobs')).map((name) => fs.readFileSync(path.join(directoryIn(root), 'blobs', name)).readUInt32LE(8));
    expect(keys.sort()).toEqual([1, 2]);
  });
});
