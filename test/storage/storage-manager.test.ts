import fs from 'node:fs';
import { expect, describe, test } from 'vitest';
import { ENTRY_BYTES } from '../../src/disk/quota/ledger.ts';
import { StorageManager } from '../../src/storage/storage-manager.ts';
import type { ManagedBucket } from '../../src/storage/storage-manager.ts';
import { internal } from '../../src/webidl/interface.ts';
import { openHost, thrownBy } from '../host/support.ts';
import { isEncrypted } from '../support/sealed.ts';

const origin = 'https://app.example';

describe('estimate()', () => {
  // Encrypted files take more: test/encryption/files/host.test.ts counts that.
  test.skipIf(isEncrypted)('counts what files and localStorage take now', async () => {
    const { storage, localStorage } = openHost().origin(origin);
    expect(await storage.estimate()).toMatchObject({ usage: 0, usageDetails: { fileSystem: 0, indexedDB: 0, localStorage: 0 } });
    localStorage.setItem('key', 'value');
    const root = await storage.getDirectory();
    const deep = await root.getDirectoryHandle('deep', { create: true });
    for (const [directory, size] of [[root, 1000], [deep, 5]] as const) {
      const writable = await (await directory.getFileHandle('f', { create: true })).createWritable();
      await writable.write(new Uint8Array(size));
      await writable.close();
    }
    const [entries, bytes] = [3 * ENTRY_BYTES, 1005];
    expect(await storage.estimate()).toMatchObject({
      usage: entries + bytes + 16,
      usageDetails: { fileSystem: entries + bytes, localStorage: 16 },
    });
    await root.removeEntry('f');
    localStorage.clear();
    expect(await storage.estimate()).toMatchObject({ usage: 2 * ENTRY_BYTES + 5 });
  });

  test('sees what another host of the root has written', async () => {
    const host = openHost();
    const other = openHost({ root: host.root });
    other.origin(origin).localStorage.setItem('k', 'v');
    expect((await host.origin(origin).storage.estimate()).usage).toBe(4);
    expect((await host.origin('https://other.example').storage.estimate()).usage).toBe(0);
  });

  test('gives the quota that was chosen, or else what the disk has left', async () => {
    expect((await openHost({ quota: 12_345 }).origin(origin).storage.estimate()).quota).toBe(12_345);
    const host = openHost();
    const { bavail, bsize } = fs.statfsSync('/tmp');
    const { quota } = await host.origin(origin).storage.estimate();
    expect(quota / (bavail * bsize)).toBeGreaterThan(0.5);
    expect(quota / (bavail * bsize)).toBeLessThan(2);
  });
});

describe('persist()', () => {
  test('is granted, and remembered by every host of the root', async () => {
    const host = openHost();
    const { storage } = host.origin(origin);
    expect(await storage.persisted()).toBe(false);
    expect(await storage.persist()).toBe(true);
    expect(await storage.persist()).toBe(true);
    expect(await storage.persisted()).toBe(true);
    expect(await openHost({ root: host.root }).origin(origin).storage.persisted()).toBe(true);
    expect(await host.origin('https://other.example').storage.persisted()).toBe(false);
  });
});

describe('the interface', () => {
  test('has no constructor for users, and a brand that a forged prototype does not have', async () => {
    expect(thrownBy(() => new (StorageManager as unknown as new () => object)())).toMatchObject({ message: 'Illegal constructor' });
    const forged = Object.create(StorageManager.prototype) as StorageManager;
    for (const method of ['persisted', 'persist', 'estimate', 'getDirectory'] as const) {
      await expect(forged[method]()).rejects.toBeInstanceOf(TypeError);
    }
  });

  test('passes on the failures of its bucket', async () => {
    const failing = new Proxy({} as ManagedBucket<object>, { get: () => () => Promise.reject(new Error('failed')) });
    const manager = new StorageManager(internal, failing);
    for (const method of ['persisted', 'persist', 'estimate', 'getDirectory'] as const) {
      await expect(manager[method]()).rejects.toThrow('failed');
    }
  });
});
