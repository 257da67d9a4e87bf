import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { NewEntry } from '../../../src/sync/hub.ts';
import { HubStore } from '../../../src/sync/hubs/embedded/server/hub-store.ts';

function temporaryStore(moved: (name: string) => void = () => undefined): HubStore {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-hub-store-'));
  const store = new HubStore(root, ({ name }) => moved(name));
  store.places.prepare();
  onTestFinished(() => {
    store.close();
    fs.rmSync(root, { recursive: true });
  });
  return store;
}

const entry = (id: string, bytes = 10): NewEntry => ({ id, bytes: new Uint8Array(bytes) });

test('calls of one turn share one sync, keep their order, and are told of once', async () => {
  const moved: string[] = [];
  const log = temporaryStore((name) => moved.push(name)).log('log');
  await log.append([entry('first')]);
  const sync = vi.spyOn(fs, 'fdatasyncSync');
  onTestFinished(() => sync.mockRestore());
  const positions = await Promise.all(Array.from({ length: 50 }, (_, index) => log.append([entry(`${index}`)])));
  expect(sync).toHaveBeenCalledTimes(1);
  expect(positions).toEqual(new Array(50).fill(51));
  expect(moved).toEqual(['log', 'log']);
});

test('calls of one turn that are large together are several records', async () => {
  const log = temporaryStore().log('log');
  const sync = vi.spyOn(fs, 'fdatasyncSync');
  onTestFinished(() => sync.mockRestore());
  await Promise.all(Array.from({ length: 9 }, (_, index) => log.append([entry(`${index}`, 2 ** 21)])));
  expect(sync.mock.calls.length).toBe(3);
  expect(log.head().position).toBe(9);
});

test('the same entry in calls of one turn, and twice in one call, is there once', async () => {
  const log = temporaryStore().log('log');
  await Promise.all([log.append([entry('a')]), log.append([entry('b'), entry('a')]), log.append([entry('c'), entry('c')])]);
  expect(log.head().position).toBe(3);
});

test('what was appended before is known without a write', async () => {
  const log = temporaryStore().log('log');
  await log.append([entry('a')]);
  const write = vi.spyOn(fs, 'writeSync');
  onTestFinished(() => write.mockRestore());
  expect(await log.append([entry('a')])).toBe(1);
  expect(write).not.toHaveBeenCalled();
});

test('one answer has 4 MiB of entries at most, but one entry in any case', async () => {
  const log = temporaryStore().log('log');
  await log.append([entry('a', 2 ** 22), entry('b', 2 ** 21), entry('c', 2 ** 21), entry('d')]);
  expect(log.read(0, 10).map(({ position }) => position)).toEqual([1]);
  expect(log.read(1, 10).map(({ position }) => position)).toEqual([2, 3]);
});

test('logs that were not used for the longest time give their memory back, and lose nothing', async () => {
  const store = temporaryStore();
  const logs = Array.from({ length: 5 }, (_, index) => store.log(`log ${index}`));
  for (const log of logs) await log.append(Array.from({ length: 8 }, (_, index) => entry(`${index}`, 2 ** 22)));
  // 32 MiB each, of 128 MiB.
  expect(logs.map(({ isLoaded }) => isLoaded)).toEqual([false, false, true, true, true]);
  const [first] = logs;
  expect(first?.position).toBe(8);
  expect(first?.isLoaded).toBe(false);
  expect(first?.read(7, 1)).toHaveLength(1);
  expect(logs.map(({ isLoaded }) => isLoaded)).toEqual([true, false, false, true, true]);
});

test('what a killed server left half built is gone when the next one starts', () => {
  const store = temporaryStore();
  fs.mkdirSync(store.places.draft());
  const workshop = path.dirname(store.places.draft());
  expect(fs.readdirSync(workshop)).toHaveLength(1);
  store.places.prepare();
  expect(fs.readdirSync(workshop)).toEqual([]);
});

test('a directory that holds the log of another name is not taken for this one', async () => {
  const store = temporaryStore();
  await store.log('one').append([entry('a')]);
  fs.renameSync(store.places.of('one'), store.places.of('other'));
  expect(() => store.log('other').head()).toThrow(/that of another name/);
});
