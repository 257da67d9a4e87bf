import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { StorageHost } from '../../../src/index.ts';
import type { StorageClient } from '../../../src/index.ts';
import { memoryHub } from '../../support/memory-hub.ts';

const ORIGIN = 'https://app.example';
const ended: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

type Backend = Parameters<typeof memoryHub>[0];

function region(name: string, hub: ReturnType<typeof memoryHub>, files: 'lazy' | 'eager' | 'off' = 'lazy'): StorageClient {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), `holdfast-${name}-`));
  const host = new StorageHost({ root, sync: { hub, region: name, files } });
  ended.push(() => fs.rmSync(root, { recursive: true, force: true }), () => host.close());
  return host.origin(ORIGIN);
}

describe('two regions of one hub', () => {
  test('have what either wrote to localStorage, in one order', async () => {
    const hub = memoryHub();
    const eu = region('eu', hub);
    const us = region('us', hub);
    eu.localStorage.setItem('from', 'eu');
    await eu.sync?.flush();
    await us.sync?.caughtUp();
    expect(us.localStorage.getItem('from')).toBe('eu');
    us.localStorage.setItem('from', 'us');
    us.localStorage.setItem('more', '1');
    await us.sync?.flush();
    await eu.sync?.caughtUp();
    expect(Object.entries(eu.localStorage)).toEqual([['from', 'us'], ['more', '1']]);
    expect(eu.sync?.status()).toMatchObject({ region: 'eu', connected: true, pending: 0, lag: 0, rejected: 0, problem: '' });
  });
});
