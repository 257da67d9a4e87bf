import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import '../../src/host/indexed-db/provided.ts';
import { StorageHost } from '../../src/index.ts';

// No network disk has the memory that SQLite's readers and writers share, and nothing may be written as if it had.
test('IndexedDB is refused with a reason where the root is on a network disk, and makes nothing', async () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-network-'));
  const host = new StorageHost({ root: path.join(directory, 'root'), shared: 'lockfile' });
  onTestFinished(async () => {
    await host.close();
    fs.rmSync(directory, { recursive: true, force: true });
  });
  const { indexedDB } = host.origin('https://app.example');
  const error = await new Promise<DOMException | null>((resolve, reject) => {
    const request = indexedDB.open('db', 1);
    request.onsuccess = () => reject(new Error('it was opened'));
    request.onerror = () => resolve(request.error);
  });
  expect(error).toMatchObject({ name: 'NotSupportedError', message: expect.stringContaining('network disk') as string });
  const made = fs.readdirSync(path.join(directory, 'root'), { recursive: true }).map(String);
  expect(made.filter((name) => path.basename(name).startsWith('db'))).toEqual([]);
});
