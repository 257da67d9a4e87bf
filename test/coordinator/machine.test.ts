import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeTurn, encodeTurn } from '../../src/disk/coordinator/owned-records.ts';
import type { Turn } from '../../src/disk/coordinator/owned-records.ts';
import { Ledger, REMEMBERED_CALLERS, REMEMBERED_CALLS } from '../../src/disk/coordinator/ledger.ts';
import { loadMutant, type Mutant } from '../support/mutant.ts';
import { play, type Step } from './machine-model.ts';

const realm = fc.constantFrom(1, 2, 3);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('look' as const), realm }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('claim' as const), realm }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('turn' as const),
      realm,
      key: fc.constantFrom('a', 'b', '\ud800'),
      value: fc.option(fc.constantFrom('1', '\u1234')),
      call: fc.integer({ min: 1, max: 4 }),
      ends: fc.boolean(),
      alarm: fc.option(fc.nat()),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('got' as const), realm, call: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), realm }) },
  { weight: 2, arbitrary: fc.constant({ do: 'restore' as const }) },
);

describe('the journal of a coordinator', () => {
  test('says what the plainest code says, whoever writes what', () => {
    const isSame = (steps: readonly Step[]): void => {
      expect(play(steps)).toEqual([]);
    };
    fc.assert(fc.property(fc.array(step, { maxLength: 40, size: 'max' }), isSame), { numRuns: 1000 });
  });

  test('reads each turn as it was written', () => {
    const id = { caller: 2 ** 53 - 1, number: 5 };
    const turn: Turn = {
      steps: [{ key: 'k', value: 'v' }, { key: null, value: null }, { key: '\u1234', value: '\ud800' }, { key: 'gone', value: null }],
      alarm: { time: 2 ** 41, attempt: 7 },
      got: [id, { caller: 1, number: 1 }],
      begun: [id],
      ended: [
        { ...id, fate: { kind: 'large' } },
        { ...id, fate: { kind: 'error', bytes: Uint8Array.of(0, 255) } },
        { ...id, fate: { kind: 'value', bytes: new Uint8Array(1024).fill(7) } },
      ],
    };
    expect(decodeTurn(Uint8Array.from(encodeTurn(turn)))).toEqual(turn);
    for (const alarm of [null, undefined]) expect(decodeTurn(Uint8Array.from(encodeTurn({ ...turn, alarm }))).alarm).toBe(alarm);
    const many = { ...turn, ended: Array.from({ length: 300 }, (_, n) => ({ caller: 2 ** 52 + n, number: 2 ** 31, fate: { kind: 'value' as const, bytes: new Uint8Array(1024) } })) };
    expect(decodeTurn(Uint8Array.from(encodeTurn(many))).ended).toHaveLength(300);
  });

  test('takes bytes that make no sense for damage, and for nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          decodeTurn(bytes);
        } catch (error) {
          expect(error).toMatchObject({ code: 'journal-damaged' });
        }
      }),
      { numRuns: 2000 },
    );
  });
});

test('the ledger is bounded: in callers, and in calls of one', () => {
  const ledger = new Ledger();
  for (let caller = 1; caller <= REMEMBERED_CALLERS + 10; caller++) ledger.begin({ caller, number: 1 });
  expect([...ledger.records()]).toHaveLength(REMEMBERED_CALLERS);
  expect([ledger.fate({ caller: 10, number: 1 }), ledger.fate({ caller: 11, number: 1 })]).toEqual([null, { kind: 'begun' }]);
  const last = REMEMBERED_CALLERS + 10;
  for (let number = 2; number <= REMEMBERED_CALLS + 5; number++) ledger.end({ caller: last, number }, { kind: 'large' });
  expect([...([...ledger.records()].at(-1)?.calls ?? [])].length).toBeLessThanOrEqual(REMEMBERED_CALLS);
  // Of what is forgotten nobody says that it has not run.
  expect(ledger.fate({ caller: last, number: 2 })).toBe('got');
});

const claim = (who: number): Step[] => [{ do: 'look', realm: who }, { do: 'claim', realm: who }];
const turn = (who: number, call: number, ends: boolean, alarm: number | null = null): Step => ({ do: 'turn', realm: who, key: 'a', value: `${who}${call}`, call, ends, alarm });

const machine = 'disk/coordinator/owned-machine.ts';
const ownership = 'disk/coordinator/ownership.ts';
const ledger = 'disk/coordinator/ledger.ts';
const mutants: (Mutant & { readonly steps: readonly Step[] })[] = [
  { what: 'there is no fence', file: ownership, from: '    if (session !== this.owner?.session) return false;\n', to: '', steps: [...claim(1), ...claim(2), turn(1, 1, true)] },
  { what: 'a claim need not know the epoch', file: ownership, from: '    if (expected !== this.epoch) return false;\n', to: '', steps: [{ do: 'look', realm: 2 }, ...claim(1), { do: 'claim', realm: 2 }] },
  { what: 'a claim does not raise the epoch', file: ownership, from: '    this.epoch += 1;\n', to: '', steps: claim(1) },
  { what: 'who leaves owns still', file: machine, from: '    else this.#ownership.owner = null;\n', to: '', steps: [...claim(1), { do: 'leave', realm: 1 }] },
  { what: 'there is no ledger', file: machine, from: '    for (const each of ended) this.ledger.end(each, each.fate);\n', to: '', steps: [...claim(1), turn(1, 1, true)] },
  { what: 'what has begun is not remembered', file: machine, from: '    for (const id of begun) this.ledger.begin(id);\n', to: '', steps: [...claim(1), turn(1, 1, false)] },
  { what: 'the snapshot forgets the calls', file: machine, from: '    for (const caller of this.ledger.records()) yield { kind: CALLER, payload: encodeCaller(caller) };\n', to: '', steps: [...claim(1), turn(1, 1, true), { do: 'restore' }] },
  { what: 'the snapshot forgets the map', file: machine, from: '    for (const payload of entryBlocks(new RecordWriter(), this.map.entries())) yield { kind: ENTRIES, payload };\n', to: '', steps: [...claim(1), turn(1, 1, true), { do: 'restore' }] },
  { what: 'the snapshot forgets the alarm', file: 'disk/coordinator/owned-records.ts', from: 'const alarm = reader.byte() === 0 ? null : readAlarm();', to: 'const alarm = reader.byte() === 0 || readAlarm() ? null : null;', steps: [...claim(1), turn(1, 1, true, 5), { do: 'restore' }] },
  { what: 'an end can be taken back', file: ledger, from: " || (before !== null && before.kind !== 'begun')", to: '', steps: [...claim(1), turn(1, 1, true), turn(1, 1, false)] },
  { what: 'what was got is remembered', file: ledger, from: '    this.got = number;\n', to: '', steps: [...claim(1), turn(1, 1, true), { do: 'got', realm: 1, call: 1 }] },
];

describe('a journal with a defect is caught:', () => {
  test.each(mutants)('$what', async ({ steps, ...mutant }) => {
    expect(play(steps)).toEqual([]);
    const broken = await loadMutant<{ play: typeof play }>(new URL('machine-model.ts', import.meta.url), mutant);
    expect(broken.play(steps)).not.toEqual([]);
  });
});
