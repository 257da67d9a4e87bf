import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RegisterMachine, type RegisterOutcome } from '../../src/disk/buckets/machine.ts';
import { encodeExpire, encodeIds, encodeOne, encodeOpening, encodeState, encodeTick, kinds, snapshotKinds } from '../../src/disk/buckets/records.ts';
import { HoldfastError } from '../../src/runtime/holdfast-error.ts';
import { temporaryDirectory } from '../host/support.ts';
import { loadMutant, type Mutant } from '../support/mutant.ts';
import { differenceFromModel } from './model.ts';
import * as product from './register.ts';

const policies = { persisted: false, durability: 'relaxed', quota: null, expires: null } as const;
let sequence = 0;

function feed(machine: RegisterMachine, kind: number, payload: Uint8Array): RegisterOutcome {
  return machine.apply({ kind, session: 1, sequence: (sequence += 1), payload });
}

function open(machine: RegisterMachine, name: string, id: string, more: { now?: number; expires?: number; missing?: string } = {}): RegisterOutcome {
  const { now = 1000, missing = '', expires = null } = more;
  return feed(machine, kinds.open, encodeOpening({ now, name, id, missing, policies: { ...policies, expires } }));
}

function copyOf(machine: RegisterMachine): RegisterMachine {
  const copy = new RegisterMachine();
  copy.reset();
  for (const { kind, payload } of machine.snapshot()) copy.restore(kind, new Uint8Array(payload));
  copy.restored();
  return copy;
}

describe('the register', () => {
  test('gives a name to whoever came first, and to another one only once it is free', () => {
    const machine = new RegisterMachine();
    expect(open(machine, 'a', '1').entry?.id).toBe('1');
    expect(open(machine, 'a', '2').entry?.id).toBe('1');
    expect(feed(machine, kinds.delete, encodeOne(1000, 'a')).removed).toEqual(['1']);
    expect(open(machine, 'a', '').entry).toBe(null);
    expect(open(machine, 'a', '1').entry).toBe(null);
    expect(open(machine, 'a', '2').entry?.id).toBe('2');
    expect(machine.doomed).toEqual(['1']);
    feed(machine, kinds.cleared, encodeIds(['1', '2']));
    expect([machine.doomed, machine.get('2')?.name]).toEqual([[], 'a']);
  });

  test('removes what is expired by the moment of any record, first of all', () => {
    const machine = new RegisterMachine();
    for (const id of ['1', '2', '3']) open(machine, id, id, { expires: 2000 + Number(id) });
    expect(feed(machine, kinds.tick, encodeTick(2000)).removed).toEqual([]);
    expect(feed(machine, kinds.persist, encodeOne(2001, '1'))).toMatchObject({ entry: null, removed: ['1'] });
    expect(feed(machine, kinds.expire, encodeExpire(2002, '2', 9000))).toMatchObject({ entry: null, removed: ['2'] });
    expect(open(machine, '3', '4', { now: 2003 })).toMatchObject({ entry: { id: '4' }, removed: ['3'] });
    expect(feed(machine, kinds.tick, encodeTick(1e15)).removed).toEqual([]);
  });

  test('replaces a bucket whose directory is missing, unless somebody was first', () => {
    const machine = new RegisterMachine();
    open(machine, 'a', '1');
    expect(open(machine, 'a', '2', { missing: '1' })).toMatchObject({ entry: { id: '2' }, removed: ['1'] });
    expect(open(machine, 'a', '3', { missing: '1' })).toMatchObject({ entry: { id: '2' }, removed: [] });
  });

  test('is all in its snapshot', () => {
    const machine = new RegisterMachine();
    const full = { persisted: true, durability: 'strict', quota: 2 ** 53 - 1, expires: 1e15 + 0.25 } as const;
    feed(machine, kinds.open, encodeOpening({ now: 1, name: 'full', policies: full, id: 'f', missing: '' }));
    open(machine, 'bare', 'b');
    open(machine, 'gone', 'g');
    feed(machine, kinds.delete, encodeOne(1, 'gone'));
    const copy = copyOf(machine);
    expect([copy.entries, copy.doomed]).toEqual([machine.entries, ['g']]);
    expect(copy.named('full')).toEqual({ ...full, name: 'full', id: 'f' });
  });

  test('of other rules, or with records that it does not know, is not read', () => {
    const machine = new RegisterMachine();
    const later = encodeState().map((version) => version + 1);
    expect(() => machine.restore(snapshotKinds.state, later)).toThrow(expect.objectContaining({ code: 'unknown-record' }));
    expect(() => feed(machine, 99, encodeTick(1))).toThrow(expect.objectContaining({ code: 'unknown-record' }));
    expect(() => machine.restore(99, encodeState())).toThrow(expect.objectContaining({ code: 'unknown-record' }));
  });

  test('takes no byte for granted', () => {
    const payloads = [encodeOpening({ now: 1, name: 'a', policies: { ...policies, quota: 7, expires: 9 }, id: 'i', missing: 'm' }), encodeOne(1, 'a'), encodeExpire(1, 'a', 2), encodeTick(1), encodeIds(['a'])];
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.tuple(fc.constantFrom(...payloads), fc.nat(), fc.nat(255)).map(([bytes, at, value]) => {
        const broken = Uint8Array.from(bytes);
        broken[at % broken.length] = value;
        return broken;
      }),
      fc.tuple(fc.constantFrom(...payloads), fc.nat()).map(([bytes, at]) => bytes.slice(0, at % bytes.length)),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.boolean(), hostile, (kind, isSnapshot, payload) => {
        const machine = new RegisterMachine();
        try {
          if (isSnapshot) machine.restore(kind, payload);
          else feed(machine, kind, payload);
        } catch (error) {
          if (!(error instanceof HoldfastError) || !['journal-damaged', 'unknown-record'].includes(error.code)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('two realms', () => {
  test('do what one would', { timeout: 120_000 }, async () => {
    expect(await differenceFromModel(product, 30)).toBe(null);
  });

  const mutants: readonly Mutant[] = [
    { what: 'a bucket is made anew under its old id', file: 'disk/buckets/machine.ts', from: "if (known !== undefined && known.id !== missing) return outcome(this.#adjust(known, policies), removed);", to: 'if (known !== undefined) this.#remove(known);' },
    { what: 'nothing expires', file: 'disk/buckets/machine.ts', from: 'this.entries.filter((entry) => isExpired(entry, now))', to: 'this.entries.filter(() => false)' },
    { what: 'an end that is not given takes the old one away', file: 'disk/buckets/machine.ts', from: 'expires: expires ?? known.expires', to: 'expires' },
    { what: 'persistence is lost again', file: 'disk/buckets/machine.ts', from: 'persisted: known.persisted || persisted', to: 'persisted' },
    { what: 'a change of policies is not recorded', file: 'disk/buckets/register.ts', from: 'return isToChange ? undefined : entry;', to: 'return entry;' },
    { what: 'the directory of a removed bucket stays', file: 'disk/buckets/register.ts', from: 'if (outcome.removed.length > 0) this.#clear(outcome.removed);', to: '' },
    { what: 'the snapshot forgets buckets', file: 'disk/buckets/machine.ts', from: 'for (const entry of this.#byName.values()) yield', to: 'for (const entry of this.entries.slice(1)) yield' },
    { what: 'whoever watches is told too early', file: 'disk/buckets/register.ts', from: 'if (isThere && machine.get(id) !== undefined) continue;', to: 'if (isThere && machine.get(id) === undefined) continue;' },
  ];

  test.each(mutants)('would be caught if $what', { timeout: 120_000 }, async (mutant) => {
    const broken = await loadMutant<typeof product>(new URL('./register.ts', import.meta.url), mutant);
    expect(await differenceFromModel(broken, 30)).not.toBe(null);
  });
});

describe('what a killed process has left', () => {
  test('goes with the next realm that looks, and nothing of anybody else', async () => {
    const root = new product.Root(path.join(temporaryDirectory(), 'root'), 'relaxed');
    const home = new product.BucketDirectory(root, 'https://a.example', 'default');
    const first = new product.BucketRegister(root, home);
    const { id } = first.open('kept', policies);
    await first.close();
    const parent = path.dirname(first.pathOf(id));
    const old = new Date(Date.now() - 11 * 60_000);
    const [orphan, young, dead] = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000003.dead'];
    for (const name of [orphan, young, dead, 'foreign', 'foreign.dead']) fs.mkdirSync(path.join(parent, name, 'inside'), { recursive: true });
    for (const name of [orphan, id, 'foreign']) fs.utimesSync(path.join(parent, name), old, old);
    const next = new product.BucketRegister(root, home);
    expect(next.names()).toEqual(['kept']);
    await expect.poll(() => fs.readdirSync(parent).sort()).toEqual([young, id, 'foreign', 'foreign.dead'].sort());
    await next.close();
  });

  test('makes nobody bring a bucket back: its directory is made once', () => {
    const root = new product.Root(path.join(temporaryDirectory(), 'root'), 'relaxed');
    const place = new product.NamedDirectory({ root, path: path.join(root.path, 'origins/o/buckets/x'), name: 'b', durability: 'strict' });
    expect(() => place.ensure()).toThrow(expect.objectContaining({ code: 'bucket-deleted' }));
    expect(fs.existsSync(root.path)).toBe(false);
  });
});
