import { expect, test } from 'vitest';
import { killedStep, step } from './step.ts';
import { temporaryRoot } from './temporary.ts';

const filled = { rows: 100_000, sum: 24_975_000, found: 77_778, integrity: 'ok' };

test('SQLite keeps 100,000 rows in the origin’s files over a restart, and recovers from a kill inside a transaction', { timeout: 180_000 }, async () => {
  const root = temporaryRoot();
  expect(await step(root, 'sqlite', 'fill')).toEqual(filled);
  expect(await step(root, 'sqlite', 'query')).toEqual(filled);
  // The cache is too small for it, so that half of a transaction is in the file when the process is killed.
  expect(await killedStep(root, 'sqlite', 'hang')).toEqual({ inside: 50_000 });
  expect(await step(root, 'sqlite', 'query')).toEqual(filled);
  expect(await step(root, 'sqlite', 'change')).toEqual({ ...filled, rows: 100_001, sum: filled.sum + 1 });
  expect(await step(root, 'sqlite', 'query')).toEqual({ ...filled, rows: 100_001, sum: filled.sum + 1 });
});

test('two processes do not open one pool of files', async () => {
  const root = temporaryRoot();
  expect(await step(root, 'sqlite-pool', root)).toEqual({ other: 'NoModificationAllowedError', own: 1 });
});

test('SQLite keeps a database in localStorage over a restart, and over a kill inside a transaction', async () => {
  const root = temporaryRoot();
  const whole = { rows: 2000, unchanged: 2000, integrity: 'ok' };
  expect(await step(root, 'kvvfs', 'fill')).toMatchObject(whole);
  expect(await step(root, 'kvvfs', 'query')).toMatchObject(whole);
  const killed = (await killedStep(root, 'kvvfs', 'hang')) as { changed: number; items: string };
  expect(killed.changed).toBe(2000);
  expect(await step(root, 'kvvfs', 'query')).toEqual({ ...whole, itemsAtStart: killed.items });
});
