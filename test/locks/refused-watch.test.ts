import fs from 'node:fs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LockTable } from '../../src/disk/locks/table.ts';
import { temporaryBucket } from './bucket.ts';

let bucket: ReturnType<typeof temporaryBucket>;
let tables: LockTable[];

beforeEach(() => {
  bucket = temporaryBucket();
  tables = [];
});

afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(tables.map((table) => table.close()));
  bucket.remove();
});

function open(): LockTable {
  const table = new LockTable(bucket);
  tables.push(table);
  return table;
}

it('a watch that the system refuses is not asked for again by each request that waits', async () => {
  const [holder, waiter] = [open(), open()];
  const request = { name: 'a', mode: 'exclusive', clientId: 'c', ifAvailable: false, steal: false } as const;
  const lock = await holder.request(request).granted;
  const watch = vi.spyOn(fs, 'watch').mockImplementation(() => {
    throw Object.assign(new Error('EMFILE: too many open files, watch'), { code: 'EMFILE' });
  });
  const waiting = Array.from({ length: 100 }, (_, index) => waiter.request({ ...request, name: index % 2 === 0 ? 'a' : 'b' }));
  for (const { granted } of waiting) granted.catch(() => {});
  // Each of its own name waits for the other session, and would watch.
  const others = Array.from({ length: 50 }, (_, index) => holder.request({ ...request, name: `n${index}` }));
  for (const { granted } of others) await granted;
  for (let index = 0; index < 50; index += 1) waiter.request({ ...request, name: `n${index}` }).granted.catch(() => {});
  expect(watch.mock.calls.length).toBeLessThanOrEqual(2);
  lock?.release();
  // It still looks by itself, and hears of the release.
  expect(await waiting[0]?.granted).not.toBeNull();
});
