import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { StorageHost } from '../../../src/index.ts';
import type { OriginSync, StorageClient } from '../../../src/index.ts';
import { MemoryEngine, memoryHub } from '../../support/memory-hub.ts';
import { encrypted } from '../../support/sealed.ts';

/*
 * What regions write is in the order, whoever's quota it fits. Of a file for whose content a region has no room, that
 * region has the name, and the content when there is room.
 */

const ORIGIN = 'https://app.example';
const MIB = 2 ** 20;

/** A realm may have reserved this much that it does not use yet. */
const RESERVED = 8 * MIB;

const endings: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

function newRoot(): string {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-region-quota-'));
  endings.push(() => fs.rmSync(root, { recursive: true, force: true }));
  return root;
}

type Region = StorageClient & { readonly sync: OriginSync };

interface Options {
  readonly total?: number;
  readonly root?: string;
}

function hostOf(engine: MemoryEngine, region: string, { total, root = newRoot() }: Options = {}): StorageHost {
  const host = new StorageHost({ root, ...(total !== undefined && { quota: { total } }), sync: { hub: memoryHub(engine), region, files: 'eager' }, ...encrypted });
  endings.push(() => host.close());
  return host;
}

function regionOf(host: StorageHost): Region {
  return host.origin(ORIGIN) as Region;
}

async function write(client: StorageClient, name: string, bytes: number): Promise<void> {
  const file = await (await client.storage.getDirectory()).getFileHandle(name, { create: true });
  const writable = await file.createWritable();
  await writable.write(new Uint8Array(bytes).fill(bytes % 251));
  await writable.close();
}

async function remove(client: StorageClient, name: string): Promise<void> {
  await (await client.storage.getDirectory()).removeEntry(name);
}

async function names(client: StorageClient): Promise<string[]> {
  const found: string[] = [];
  for await (const name of (await client.storage.getDirectory()).keys()) found.push(name);
  return found.sort();
}

async function sizeOf(client: StorageClient, name: string): Promise<number> {
  const file = await (await (await client.storage.getDirectory()).getFileHandle(name)).getFile();
  return (await file.arrayBuffer()).byteLength;
}

/** Bytes of the files on a root's disk. */
function onDisk(root: string): number {
  const sizes = fs.readdirSync(root, { recursive: true, withFileTypes: true }).filter((each) => each.isFile()).map((each) => fs.statSync(path.join(each.parentPath, each.name)).size);
  return sizes.reduce((sum, size) => sum + size, 0);
}

describe('a region whose quota is full', () => {
  test('has the names of files that do not fit, goes on with all else, and has their content when there is room', async () => {
    const engine = new MemoryEngine();
    const [eu, root] = [regionOf(hostOf(engine, 'eu')), newRoot()];
    const host = hostOf(engine, 'us', { root, total: 16 * MIB });
    const us = regionOf(host);
    for (let count = 0; count < 6; count++) await write(eu, `large ${count}`, 6 * MIB + count);
    await write(eu, 'small', 100);
    eu.localStorage.setItem('k', 'v');
    await eu.sync.flush();
    await us.sync.caughtUp();
    expect(await names(us)).toEqual([...Array.from({ length: 6 }, (_, count) => `large ${count}`), 'small']);
    expect([await sizeOf(us, 'small'), us.localStorage.getItem('k')]).toEqual([100, 'v']);
    expect(onDisk(root)).toBeLessThan(16 * MIB + RESERVED);
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, (_, count) => sizeOf(us, `large ${count}`)));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused.length).toBeGreaterThanOrEqual(4);
    for (const { reason } of refused) expect(reason).toMatchObject({ name: 'QuotaExceededError' });
    // What it writes itself, and what it removes, comes to the others all the same.
    us.localStorage.setItem('from', 'us');
    for (let count = 0; count < 5; count++) await remove(us, `large ${count}`);
    await us.sync.flush();
    await eu.sync.caughtUp();
    expect([await names(eu), eu.localStorage.getItem('from')]).toEqual([['large 5', 'small'], 'us']);
    expect(await sizeOf(us, 'large 5')).toBe(6 * MIB + 5);
  });

  test('loses nothing of a file that does not fit: with a larger quota it is all there', async () => {
    const engine = new MemoryEngine();
    const [eu, root] = [regionOf(hostOf(engine, 'eu')), newRoot()];
    const small = hostOf(engine, 'us', { root, total: 4 * MIB });
    await write(eu, 'large', 20 * MIB);
    await eu.sync.flush();
    await regionOf(small).sync.caughtUp();
    await expect(sizeOf(regionOf(small), 'large')).rejects.toMatchObject({ name: 'QuotaExceededError' });
    await small.close();
    const larger = regionOf(hostOf(engine, 'us', { root, total: 64 * MIB }));
    await larger.sync.caughtUp();
    expect(await sizeOf(larger, 'large')).toBe(20 * MIB);
    // Nobody has taken the name without content for a change.
    await larger.sync.flush();
    expect([await sizeOf(eu, 'large'), await eu.sync.conflicts()]).toEqual([20 * MIB, []]);
  });

  test('of which not even a name fits says so, is not stuck, and has it when there is room', async () => {
    const engine = new MemoryEngine();
    const eu = regionOf(hostOf(engine, 'eu'));
    const us = regionOf(hostOf(engine, 'us', { total: 12 * MIB }));
    await us.storage.getDirectory();
    await us.sync.caughtUp();
    // As much as goes.
    let filled = 0;
    for (let bytes = 4 * MIB; bytes >= 1; bytes = Math.floor(bytes / 2)) {
      const name = `own ${(filled += 1)}`;
      await write(us, name, bytes).catch((error: unknown) => expect(error).toMatchObject({ name: 'QuotaExceededError' }));
    }
    await us.sync.flush();
    await eu.sync.caughtUp();
    for (let count = 0; count < 40; count++) await write(eu, `theirs ${String(count).padStart(2, '0')}`, 1000);
    eu.localStorage.setItem('k', 'v');
    await eu.sync.flush();
    await vi.waitFor(() => expect(us.localStorage.getItem('k')).toBe('v'), { timeout: 30_000 });
    await remove(us, 'own 1');
    await remove(us, 'own 2');
    await vi.waitFor(async () => expect((await names(us)).filter((name) => name.startsWith('theirs')).length).toBe(40), { timeout: 30_000, interval: 200 });
    await us.sync.flush();
    expect(await sizeOf(us, 'theirs 39')).toBe(1000);
    expect((await names(eu)).filter((name) => name.startsWith('theirs')).length).toBe(40);
  });
});
