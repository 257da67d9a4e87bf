import { describe, expect, test } from 'vitest';
import { chaos } from './chaos.ts';
import { type Operation, unorderable } from './linearizable.ts';
import { deploy } from './servers.ts';

/** More by hand: HOLDFAST_COORDINATOR_SECONDS=3600. */
const seconds = Number(process.env['HOLDFAST_COORDINATOR_SECONDS'] ?? 12);

describe('the checker', () => {
  const operation = (kind: Operation['kind'], began: number, ended: number, result: number | null, written = 0): Operation => ({ kind, began, ended, result, written });

  test('takes histories that have an order', () => {
    expect(unorderable([operation('write', 0, 10, 0, 5), operation('read', 1, 2, 0), operation('read', 3, 4, 5), operation('increment', 5, 12, 6), operation('read', 11, 13, 6)])).toBe(null);
    // One that nobody knows of may have come late, or never.
    expect(unorderable([operation('increment', 0, Infinity, null), operation('read', 1, 2, 0), operation('read', 3, 4, 1)])).toBe(null);
    expect(unorderable([operation('increment', 0, Infinity, null), operation('read', 1, 2, 0)])).toBe(null);
  });

  test('finds stale reads, lost and doubled updates', () => {
    expect(unorderable([operation('write', 0, 1, 0, 5), operation('read', 2, 3, 0)])).not.toBe(null);
    expect(unorderable([operation('increment', 0, 1, 1), operation('increment', 2, 3, 1)])).not.toBe(null);
    expect(unorderable([operation('increment', 0, 1, 1), operation('read', 2, 3, 2)])).not.toBe(null);
    expect(unorderable([operation('increment', 0, Infinity, null), operation('read', 1, 2, 1), operation('read', 3, 4, 0)])).not.toBe(null);
  });
});

test('under kills, pauses and closes calls have one order, and each that changes something runs once', { timeout: 120_000 + 3000 * seconds }, async () => {
  const deployment = await deploy(3);
  const seed = Number(process.env['HOLDFAST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  const tally = await chaos(deployment, { milliseconds: 1000 * seconds, callers: 12, seed });
  expect({ seed, violations: tally.violations }).toEqual({ seed, violations: [] });
  expect(tally.calls).toBeGreaterThan(10 * seconds);
  expect(tally.kills + tally.closes + tally.pauses).toBeGreaterThan(3);
  if (process.env['HOLDFAST_COORDINATOR_SECONDS'] !== undefined) console.log(tally);
});
