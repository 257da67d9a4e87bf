import { describe, expect, test } from 'vitest';
import { chaos } from './chaos.ts';
import { type Operation, unorderable } from './linearizable.ts';
import { deploy } from './deploy.ts';

// For longer: npm run stress -- --coordinators-chaos=SECONDS

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

test('under kills, pauses, closes and full disks calls have one order, and each that changes something runs once', { timeout: 120_000 }, async () => {
  const seed = Number(process.env['HOLDFAST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  const { violations, calls, kills, closes, pauses, refusals } = await chaos(await deploy(3), { milliseconds: 4000, callers: 8, seed });
  expect({ seed, violations }).toEqual({ seed, violations: [] });
  expect(calls).toBeGreaterThan(0);
  expect(kills + closes + pauses + refusals).toBeGreaterThan(0);
});
