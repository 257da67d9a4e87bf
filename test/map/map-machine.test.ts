import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { JournalRecord } from '../../src/disk/journal/machine.ts';
import type { MapChange } from '../../src/disk/map/map-area.ts';
import { MapMachine } from '../../src/disk/map/map-machine.ts';
import { CLEAR, ENTRIES, LIMIT, RecordWriter, REMOVE, RULES, SET } from '../../src/disk/map/map-records.ts';
import { DEFAULT_QUOTA } from '../../src/disk/map/map-state.ts';
import { HoldfastError } from '../../src/runtime/holdfast-error.ts';
import { ownUrl } from './temporary-bucket.ts';

const writer = new RecordWriter();
const session = 7;
const url = `${ownUrl}page`;
const record = (kind: number, payload: Uint8Array): JournalRecord => ({ kind, session, sequence: 1, payload });
const set = (key: string, value: string): JournalRecord => record(SET, Uint8Array.from(writer.set(ownUrl, url, key, value)));
const remove = (key: string): JournalRecord => record(REMOVE, Uint8Array.from(writer.remove(ownUrl, url, key)));
const clear = (): JournalRecord => record(CLEAR, Uint8Array.from(writer.clear(ownUrl, url)));
const limit = (quota: number): JournalRecord => record(LIMIT, Uint8Array.from(writer.number(quota)));
const rules = (version: number): JournalRecord => record(RULES, Uint8Array.from(writer.number(version)));

function observed(machine = new MapMachine(ownUrl)): { machine: MapMachine; changes: MapChange[] } {
  const changes: MapChange[] = [];
  machine.listener = (change) => changes.push(change);
  return { machine, changes };
}

function entriesOf(machine: MapMachine): [string, string][] {
  return [...machine.state.entries()];
}

/** What another process does that opens the map after a compaction. */
function restore(from: MapMachine, into: MapMachine): MapMachine {
  // Each payload is valid only until the next one is asked for.
  const snapshot = Array.from(from.snapshot(), ({ kind, payload }) => ({ kind, payload: Uint8Array.from(payload) }));
  into.reset();
  for (const { kind, payload } of snapshot) into.restore(kind, payload);
  into.restored();
  return into;
}

describe('quota', () => {
  test('counts two bytes for each code unit of keys and values', () => {
    const { machine } = observed();
    machine.apply(set('ab', 'c\ud800'));
    expect(machine.state.bytes).toBe(8);
    machine.apply(set('ab', ''));
    expect(machine.state.bytes).toBe(4);
    machine.apply(remove('ab'));
    expect(machine.state.bytes).toBe(0);
  });

  test('is 10 MiB until a record says otherwise', () => {
    const { machine } = observed();
    const fits = 'x'.repeat(DEFAULT_QUOTA / 2 - 1);
    expect(machine.apply(set('k', `${fits}x`))).toEqual({ accepted: false, quota: DEFAULT_QUOTA, requested: DEFAULT_QUOTA + 2 });
    expect(machine.apply(set('k', fits))).toEqual({ accepted: true });
    machine.apply(limit(DEFAULT_QUOTA + 2));
    expect(machine.apply(set('k', `${fits}x`))).toEqual({ accepted: true });
  });

  test('a rejected record changes nothing and is no change', () => {
    const { machine, changes } = observed();
    machine.apply(limit(10));
    machine.apply(set('a', '1'));
    expect(machine.apply(set('a', '12345'))).toEqual({ accepted: false, quota: 10, requested: 12 });
    expect(machine.apply(set('b', '1234'))).toEqual({ accepted: false, quota: 10, requested: 14 });
    expect(entriesOf(machine)).toEqual([['a', '1']]);
    expect(changes).toHaveLength(1);
  });

  test('a map that a lowered quota left too full may shrink, and may not grow', () => {
    const { machine } = observed();
    machine.apply(set('a', '123456789'));
    machine.apply(limit(4));
    expect(machine.apply(set('a', '987654321'))).toEqual({ accepted: true });
    expect(machine.apply(set('a', '1234')).accepted).toBe(true);
    expect(machine.apply(set('a', '12345'))).toEqual({ accepted: false, quota: 4, requested: 12 });
    expect(machine.apply(set('b', '')).accepted).toBe(false);
  });
});

describe('changes', () => {
  test('tell key, old value, new value, url and session', () => {
    const { machine, changes } = observed();
    machine.apply(set('a', '1'));
    machine.apply(set('a', '2'));
    machine.apply(remove('a'));
    machine.apply(set('', ''));
    machine.apply(clear());
    const by = { url, session };
    expect(changes).toEqual([
      { key: 'a', oldValue: null, newValue: '1', ...by },
      { key: 'a', oldValue: '1', newValue: '2', ...by },
      { key: 'a', oldValue: '2', newValue: null, ...by },
      { key: '', oldValue: null, newValue: '', ...by },
      { key: null, oldValue: null, newValue: null, ...by },
    ]);
  });

  test('are none where nothing changes', () => {
    const { machine, changes } = observed();
    machine.apply(clear());
    machine.apply(remove('a'));
    machine.apply(set('a', '1'));
    machine.apply(set('a', '1'));
    machine.apply(limit(1000));
    machine.apply(rules(1));
    expect(changes).toHaveLength(1);
  });

  test('a reader that fell behind gets one for each key that differs', () => {
    const ahead = new MapMachine(ownUrl);
    const { machine: behind, changes } = observed();
    for (const machine of [ahead, behind]) for (const key of ['same', 'gone', 'other']) machine.apply(set(key, 'before'));
    changes.length = 0;
    for (const next of [remove('gone'), set('other', 'x'), set('other', 'after'), set('new', 'after')]) ahead.apply(next);
    restore(ahead, behind);
    expect(changes).toEqual([
      { key: 'gone', oldValue: 'before', newValue: null, url: ownUrl, session: 0 },
      { key: 'other', oldValue: 'before', newValue: 'after', url: ownUrl, session: 0 },
      { key: 'new', oldValue: null, newValue: 'after', url: ownUrl, session: 0 },
    ]);
    expect(entriesOf(behind)).toEqual(entriesOf(ahead));
  });
});

describe('what it does not understand stops it', () => {
  const stops = (run: () => unknown, code: string): void => {
    expect(run).toThrow(HoldfastError);
    expect(run).toThrow(expect.objectContaining({ code }));
  };

  test('an unknown kind of record', () => {
    const machine = new MapMachine(ownUrl);
    for (const kind of [ENTRIES, 9, 63, 71, 199]) stops(() => machine.apply(record(kind, new Uint8Array())), 'unknown-record');
    for (const kind of [SET, REMOVE, CLEAR, 7, 64, 199]) stops(() => machine.restore(kind, new Uint8Array()), 'unknown-record');
  });

  test('rules of another version', () => {
    const machine = new MapMachine(ownUrl);
    stops(() => machine.apply(rules(2)), 'unknown-record');
    stops(() => machine.restore(RULES, rules(2).payload), 'unknown-record');
  });

  test('a payload that makes no sense', () => {
    const machine = new MapMachine(ownUrl);
    for (const kind of [SET, REMOVE, CLEAR, LIMIT, RULES]) stops(() => machine.apply(record(kind, new Uint8Array())), 'journal-damaged');
  });
});

/** Few keys, so that steps meet. */
const key = fc.constantFrom('', 'a', 'b', '__proto__', 'length', '\ud800', '0', '1');
const step = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(key, fc.string({ maxLength: 6, unit: 'binary' })).map(([name, value]) => ['set', name, value] as const) },
  { weight: 3, arbitrary: key.map((name) => ['remove', name] as const) },
  { weight: 1, arbitrary: fc.constant(['clear'] as const) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 60 }).map((quota) => ['limit', quota] as const) },
  { weight: 1, arbitrary: fc.constant(['compact'] as const) },
  { weight: 4, arbitrary: fc.nat({ max: 9 }).map((index) => ['key', index] as const) },
);

/** The same in the plainest code there is. */
class Model {
  entries: [string, string][] = [];
  quota = DEFAULT_QUOTA;

  bytes(): number {
    return this.entries.reduce((sum, [name, value]) => sum + 2 * (name.length + value.length), 0);
  }

  set(name: string, value: string): void {
    const before = this.entries.map((entry): [string, string] => [...entry]);
    const size = this.bytes();
    const entry = this.entries.find(([other]) => other === name);
    if (entry === undefined) this.entries.push([name, value]);
    else entry[1] = value;
    if (this.bytes() > this.quota && this.bytes() > size) this.entries = before;
  }

  remove(name: string): void {
    this.entries = this.entries.filter(([other]) => other !== name);
  }
}

test('it behaves as a plain list of pairs does, through any number of snapshots', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const model = new Model();
      let machine = new MapMachine(ownUrl);
      const told = new Map<string, string>();
      const listener = (change: MapChange): void => {
        if (change.key === null) told.clear();
        else {
          expect(told.get(change.key) ?? null).toBe(change.oldValue);
          if (change.newValue === null) told.delete(change.key);
          else told.set(change.key, change.newValue);
        }
      };
      machine.listener = listener;
      for (const [what, first, second] of steps) {
        if (what === 'set') {
          model.set(first, second);
          machine.apply(set(first, second));
        } else if (what === 'remove') {
          model.remove(first);
          machine.apply(remove(first));
        } else if (what === 'clear') {
          model.entries = [];
          machine.apply(clear());
        } else if (what === 'limit') {
          model.quota = first;
          machine.apply(limit(first));
        } else if (what === 'compact') {
          machine = restore(machine, new MapMachine(ownUrl));
          machine.listener = listener;
        } else {
          expect(machine.state.key(first)).toBe(model.entries[first]?.[0]);
        }
        expect(entriesOf(machine)).toEqual(model.entries);
        expect(machine.state.bytes).toBe(model.bytes());
        expect(new Map(told)).toEqual(new Map(model.entries));
      }
    }),
    { numRuns: 500 },
  );
});

test('a snapshot keeps every entry, their order and the quota', () => {
  const machine = new MapMachine(ownUrl);
  machine.apply(limit(5_000_000));
  for (let index = 0; index < 5000; index++) machine.apply(set(`key ${index}`, `\ud800 value ${index}`.repeat(index % 20)));
  machine.apply(set('large', '\u1234'.repeat(100_000)));
  const copy = restore(machine, new MapMachine(ownUrl));
  expect(entriesOf(copy)).toEqual(entriesOf(machine));
  expect([copy.state.quota, copy.state.bytes]).toEqual([machine.state.quota, machine.state.bytes]);
});

test('removing every key by position, from either end, lists the keys anew only a few times', () => {
  const count = 10_000;
  for (const last of [false, true]) {
    const { state } = new MapMachine(ownUrl);
    for (let index = 0; index < count; index++) state.put(`key ${index}`, '');
    const list = vi.spyOn(state, 'keys');
    while (state.size > 0) state.remove(state.key(last ? state.size - 1 : 0) ?? '');
    expect(list.mock.calls.length).toBeLessThan(20);
  }
});

test('walking over the keys by position lists them once, also while others are added', () => {
  const { state } = new MapMachine(ownUrl);
  for (let index = 0; index < 1000; index++) state.put(`key ${index}`, '');
  const list = vi.spyOn(state, 'keys');
  for (let index = 0; index < state.size; index++) {
    expect(state.key(index)).toBe(`key ${index}`);
    if (state.size < 1500) state.put(`key ${state.size}`, '');
  }
  expect(list).toHaveBeenCalledTimes(1);
});
