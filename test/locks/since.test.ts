import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PayloadReader, PayloadWriter } from '../../src/disk/locks/codec.ts';
import type { WebLockRequest } from '../../src/disk/locks/lock-table.ts';
import { LockMachine } from '../../src/disk/locks/machine.ts';
import { encodeJoin, encodeLock, encodeOperate, encodeRequest, kinds } from '../../src/disk/locks/records.ts';
import { deaf } from '../../src/disk/survey/deaf.ts';

const SESSION = 7;
const JOIN = encodeJoin({ identity: { boot: 'b', namespace: 'n', pid: 1, tid: 1, start: 1 }, folder: 'f', whereabouts: '' }).slice();
const wanted: WebLockRequest = { name: 'a', mode: 'exclusive', clientId: 'c', ifAvailable: false, steal: false };
const lock = { locator: ['f'], lockClass: 'exclusive' } as const;
const removal = { own: 0, intent: { operation: 'remove', kind: 'file', source: ['g'] } } as const;
const move = { own: 0, intent: { operation: 'move', kind: 'file', source: ['g'], target: ['h'] } } as const;

/** A table of one session, which has made these claims. */
function tableOf(claims: readonly (readonly [kind: number, payload: Uint8Array])[]): LockMachine {
  const machine = new LockMachine(deaf);
  [[kinds.join, JOIN] as const, ...claims].forEach(([kind, payload], index) => machine.apply({ kind, session: SESSION, sequence: index + 1, payload }));
  return machine;
}

/** What another process knows of it that has read its snapshot alone. */
function restored(machine: LockMachine): LockMachine {
  const other = new LockMachine(deaf);
  const records = Array.from(machine.snapshot(), ({ kind, payload }) => ({ kind, payload: payload.slice() }));
  other.reset();
  for (const { kind, payload } of records) other.restore(kind, payload);
  other.restored();
  return other;
}

function timesOf(machine: LockMachine): number[] {
  return [...(machine.sessions.get(SESSION)?.claims.values() ?? [])].sort((a, b) => a.order - b.order).map(({ since }) => since);
}

describe('when a claim was asked for', () => {
  test('is kept for each kind of claim, by who reads its record and by who reads a snapshot', () => {
    const machine = tableOf([
      [kinds.lock, encodeLock(lock, 10).slice()],
      [kinds.operate, encodeOperate(removal, 20).slice()],
      [kinds.operate, encodeOperate(move, 2 ** 41).slice()],
      [kinds.request, encodeRequest(wanted, 30).slice()],
    ]);
    expect(timesOf(machine)).toEqual([10, 20, 2 ** 41, 30]);
    expect(timesOf(restored(machine))).toEqual([10, 20, 2 ** 41, 30]);
  });

  test('is kept for each of many that wait for one lock, whatever clocks did meanwhile', () => {
    const time = fc.oneof(fc.nat(), fc.integer({ min: 0, max: 2 ** 51 }));
    fc.assert(
      fc.property(fc.array(time, { minLength: 1, maxLength: 20 }), (times) => {
        const machine = tableOf(times.map((since) => [kinds.request, encodeRequest(wanted, since).slice()]));
        expect(timesOf(restored(machine))).toEqual(times);
      }),
    );
  });

  test('is the present, unless it is given', () => {
    const before = Date.now();
    const [since = 0] = timesOf(tableOf([[kinds.lock, encodeLock(lock)]]));
    expect(since).toBeGreaterThanOrEqual(before);
    expect(since).toBeLessThanOrEqual(Date.now());
  });

  test('of a clock that stands before 1970 is not known', () => {
    expect(timesOf(tableOf([[kinds.request, encodeRequest(wanted, -5)]]))).toEqual([0]);
  });

  test('is not known of a record that a version before has written', () => {
    // A time below 128 is the one last byte.
    const old = (payload: Uint8Array): Uint8Array => payload.slice(0, -1);
    const machine = tableOf([
      [kinds.lock, old(encodeLock(lock, 1))],
      [kinds.operate, old(encodeOperate(removal, 1))],
      [kinds.operate, old(encodeOperate(move, 1))],
      [kinds.request, old(encodeRequest(wanted, 1))],
    ]);
    expect(timesOf(machine)).toEqual([0, 0, 0, 0]);
    expect(timesOf(restored(machine))).toEqual([0, 0, 0, 0]);
  });

  test('is not known of a claim in a snapshot that a version before has written', () => {
    const machine = tableOf([[kinds.lock, encodeLock(lock, 1).slice()]]);
    const other = new LockMachine(deaf);
    for (const { kind, payload } of machine.snapshot()) other.restore(kind, kind === 3 ? payload.slice(0, -1) : payload.slice());
    expect(timesOf(other)).toEqual([0]);
    expect(other.find(SESSION, 2)?.state).toBe('held');
  });
});

test('a difference of either sign is read as it was written', () => {
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 51), max: 2 ** 51 }), (value) => {
      expect(new PayloadReader(new PayloadWriter().begin().difference(value).end()).difference()).toBe(value);
    }),
  );
});
