import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import { killedStep, startStep, step } from './step.ts';
import { temporaryRoot } from './temporary.ts';

const patience = { timeout: 120_000 };

describe('idb', () => {
  const byAuthor = [3, 10, 17, 24, 31, 38, 45, 52, 59, 66, 73, 80, 87, 94];

  test('finds after a restart what it stored', patience, async () => {
    const root = temporaryRoot();
    const filled = { count: 100, byAuthor, published: true, all: 0, last: null };
    expect(await step(root, 'idb', 'fill')).toEqual(filled);
    expect(await step(root, 'idb', 'query')).toEqual(filled);
  });

  test('loses no update among processes, nor what was acknowledged before a kill', patience, async () => {
    const root = temporaryRoot();
    await step(root, 'idb', 'query');
    await Promise.all(['a', 'b', 'c'].map((who) => step(root, 'idb', 'add', who, '40')));
    expect(await step(root, 'idb', 'query')).toMatchObject({ all: 120 });
    expect(await killedStep(root, 'idb', 'hang')).toBe('in the middle');
    expect(await step(root, 'idb', 'query')).toMatchObject({ all: 120, last: 'acknowledged' });
  });
});

test('dexie finds after a restart what it stored, loses no update among processes, and its live queries run', patience, async () => {
  const root = temporaryRoot();
  const filled = { count: 50, young: 10, tagged: 17, oldest: 49, all: 0 };
  expect(await step(root, 'dexie', 'fill')).toEqual(filled);
  expect(await step(root, 'dexie', 'query')).toEqual(filled);
  await Promise.all([1, 2].map(() => step(root, 'dexie', 'add', '30')));
  expect(await step(root, 'dexie', 'query')).toEqual({ ...filled, all: 60 });
  expect(await step(root, 'dexie', 'watch')).toEqual({ ...filled, count: 51, oldest: 99, all: 60 });
});

test("a live query of dexie hears of another process' changes", patience, async () => {
  const root = temporaryRoot();
  await step(root, 'dexie', 'fill');
  const child = startStep(root, 'dexie', 'await', 'somebody');
  if (child.stdout === null) throw new Error('the streams of a step are pipes');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe('0');
  const closed = once(child, 'close');
  expect(await step(root, 'dexie', 'name', 'somebody')).toMatchObject({ count: 51 });
  expect((await lines.next()).value).toBe('1');
  expect(JSON.parse(String((await lines.next()).value))).toMatchObject({ count: 51 });
  expect(await closed).toEqual([0, null]);
});

test('localForage finds after a restart what it stored, and what other processes have', patience, async () => {
  const root = temporaryRoot();
  const filled = { driver: 'asyncStorage', length: 31, object: { deep: { list: [1, 2, 3] } }, bytes: [1, 2, 3], gone: null };
  expect(await step(root, 'localforage', 'fill')).toEqual(filled);
  expect(await step(root, 'localforage', 'query')).toEqual(filled);
  await Promise.all(['a', 'b'].map((who) => step(root, 'localforage', 'add', who, '25')));
  expect(await step(root, 'localforage', 'query')).toEqual({ ...filled, length: 81 });
});
