/** What a map does that follows a hub, case by case; map-replica.test.ts plays at random. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ADD, BARRIER, CLEAR, COMPARE, LIMIT, RecordWriter, REMOVE, SET } from '../../src/disk/map/map-records.ts';
import { MapMachine } from '../../src/disk/map/map-machine.ts';
import { MapModel } from '../../src/disk/map/map-model.ts';
import { ByteReader } from '../../src/disk/replica/byte-reader.ts';
import { ByteWriter } from '../../src/disk/replica/byte-writer.ts';
import { encodeBatch } from '../../src/disk/replica/encode-batch.ts';
import { chains, NO_CHAIN } from '../../src/disk/replica/chain.ts';
import type { Operation } from '../../src/disk/replica/operation.ts';
import { BASE, ENTRY, LINK, REPLICATE } from '../../src/disk/replica/replica-kinds.ts';
import { encodeBase, encodeEntry, encodeLink, encodeReplicate, NO_LINK } from '../../src/disk/replica/replica-records.ts';
import { HoldfastError } from '../../src/runtime/holdfast-error.ts';
import type { PlainOperation } from './plain-map.ts';
import { batchOf, digest, elsewhere, FakeHub, incarnationOf, kindAndPayload, Region } from './replica-region.ts';
import { ownUrl } from './temporary-bucket.ts';

const set = (key: string, value: string): PlainOperation => ({ do: 'set', key, value });
const remove = (key: string): PlainOperation => ({ do: 'remove', key });
const compare = (key: string, expected: string | null, value: string | null): PlainOperation => ({ do: 'compare', key, expected, value });
const limit = (quota: number): PlainOperation => ({ do: 'limit', quota });

/** A region that follows a hub, with one other region that writes. */
class Scene {
  readonly region = new Region();
  readonly hub = new FakeHub();
  #written = NO_CHAIN;
  #count = 0;

  constructor(cap = 100_000) {
    this.region.replicate(cap);
  }

  write(...operations: PlainOperation[]): void {
    for (const operation of operations) {
      const { kind, payload } = kindAndPayload(operation);
      this.region.append(11, kind, payload);
    }
  }

  /** One entry of another region, and its arrival. */
  remote(...operations: PlainOperation[]): void {
    const batch = operations.map((operation, index): Operation => ({ ...kindAndPayload(operation, elsewhere), session: 500, sequence: this.#count + index + 1 }));
    this.hub.append(incarnationOf(21), this.#count + 1, this.#written, batch);
    this.#count += batch.length;
    for (const operation of batch) this.#written = chains.after(this.#written, operation);
    this.receive();
  }

  /** Everything that is pending is confirmed in one entry. */
  confirm(): void {
    const { pending, incarnation } = this.region.replica;
    const operations = [...pending].map(({ operation }) => operation);
    const previous = pending.length === 0 ? NO_CHAIN : pending.chainBefore(0);
    this.hub.append(incarnation, pending.at(0)?.number ?? 1, previous, operations);
    this.receive();
  }

  receive(): void {
    this.region.enter(this.hub.entry(this.hub.log.length) ?? new Uint8Array());
  }

  get entries(): [string, string][] {
    return [...this.region.first.machine.state.entries()];
  }

  /** Changes by the last record. */
  get changes(): unknown[] {
    return this.region.first.changes.map(({ key, oldValue, newValue, session }) => [key, oldValue, newValue, session]);
  }
}

describe('what shows', () => {
  test('is one\'s own write at once, another\'s when it comes, and no event tells an echo', () => {
    const scene = new Scene();
    scene.write(set('a', '1'));
    expect(scene.entries).toEqual([['a', '1']]);
    scene.remote(set('b', '2'), set('b', '3'), remove('b'), set('c', '4'));
    expect(scene.changes).toEqual([['b', null, '2', 500], ['b', '2', '3', 500], ['b', '3', null, 500], ['c', null, '4', 500]]);
    expect(scene.region.first.changes.map(({ url }) => url)).toEqual(Array.from({ length: 4 }, () => elsewhere));
    scene.confirm();
    expect(scene.changes).toEqual([]);
    expect(scene.entries).toEqual([['c', '4'], ['a', '1']]);
  });

  test('is the pending value where both wrote, until somebody writes after it', () => {
    const scene = new Scene();
    scene.write(set('a', 'mine'));
    scene.remote(set('a', 'theirs'));
    expect([scene.entries, scene.changes]).toEqual([[['a', 'mine']], []]);
    scene.confirm();
    expect([scene.entries, scene.changes]).toEqual([[['a', 'mine']], []]);
    scene.remote(set('a', 'later'));
    expect(scene.changes).toEqual([['a', 'mine', 'later', 500]]);
  });

  test('is what a clear leaves of the pending writes after it', () => {
    const scene = new Scene();
    scene.remote(set('a', '1'), set('b', '2'));
    scene.write(set('b', '3'), { do: 'clear' }, set('c', '4'));
    scene.remote(set('d', '5'), set('c', '6'), { do: 'clear' }, set('e', '7'));
    expect([scene.entries, scene.changes]).toEqual([[['c', '4']], []]);
    scene.confirm();
    expect([scene.entries, scene.changes]).toEqual([[['c', '4']], []]);
  });

  test('is only the pending writes after another region\'s clear', () => {
    const scene = new Scene();
    scene.remote(set('a', '1'), set('b', '2'));
    scene.write(set('b', '3'));
    scene.remote({ do: 'clear' });
    expect([scene.entries, scene.changes]).toEqual([[['b', '3']], [['a', '1', null, 500]]]);
    scene.confirm();
    scene.remote({ do: 'clear' });
    expect([scene.entries, scene.changes]).toEqual([[], [[null, null, null, 500]]]);
  });

  test('a comparison shows while it finds what it expects, also what another\'s clear makes it find', () => {
    const scene = new Scene();
    scene.remote(set('k', 'x'));
    scene.write(compare('k', null, 'y'), compare('k', 'x', null));
    expect(scene.entries).toEqual([]);
    scene.remote({ do: 'clear' });
    expect([scene.entries, scene.changes]).toEqual([[['k', 'y']], [['k', null, 'y', 500]]]);
    scene.confirm();
    expect(scene.entries).toEqual([['k', 'y']]);
    expect(scene.region.replica.rejections.items.map(({ reason }) => reason)).toEqual(['expected']);
  });

  test('goes back to what the order has where it refused a write, for everybody', () => {
    const scene = new Scene();
    scene.remote(limit(12), set('z', '1'));
    scene.write(set('a', '2'), set('b', '3'), set('a', ''), compare('b', '3', '4'));
    scene.remote(set('y', '12'));
    scene.confirm();
    expect(scene.region.replica.rejections.items.map(({ reason }) => reason)).toEqual(['quota', 'quota', 'expected']);
    expect(scene.entries).toEqual([['z', '1'], ['y', '12'], ['a', '']]);
    expect(scene.changes).toEqual([['b', '4', null, 0]]);
    expect(scene.region.first.changes[0]?.url).toBe(ownUrl);
  });

  test('has the place of a key that was refused, and written again, where the order has it', () => {
    const scene = new Scene();
    scene.remote(limit(16), set('c', ''));
    scene.write(set('a', '11'), set('b', ''), set('a', ''));
    scene.remote(set('c', '12345'));
    scene.confirm();
    expect(scene.entries.map(([key]) => key)).toEqual(['c', 'b', 'a']);
  });

  test('is right where an own write overtakes another that the hub had forgotten', () => {
    const scene = new Scene();
    const { region, hub } = scene;
    scene.write(set('a', '1'));
    scene.confirm();
    region.incarnate(2);
    scene.write(set('b', '2'), set('a', '3'));
    hub.log = [];
    region.rebase(hub.snapshot(0), false);
    expect(scene.entries).toEqual([['a', '3'], ['b', '2']]);
    const under = [...region.replica.pending].filter(({ incarnation }) => incarnation === incarnationOf(2));
    hub.append(incarnationOf(2), 1, NO_CHAIN, under.map(({ operation }) => operation));
    scene.receive();
    expect(region.replica.pending.length).toBe(1);
    expect(scene.entries).toEqual([['b', '2'], ['a', '1']]);
    expect(scene.changes).toEqual([['a', '3', '1', 0]]);
    scene.confirm();
    expect(scene.entries).toEqual([['b', '2'], ['a', '1']]);
    expect(scene.changes).toEqual([]);
  });

  test('keeps up with the quota of the order', () => {
    const scene = new Scene();
    const { state } = scene.region.first.machine;
    scene.remote(limit(50));
    expect(state.quota).toBe(50);
    scene.write(limit(60));
    scene.remote(limit(70));
    expect(state.quota).toBe(60);
    scene.confirm();
    expect(state.quota).toBe(60);
    scene.remote(limit(80));
    expect(state.quota).toBe(80);
  });
});

describe('a map that begins to follow a hub', () => {
  test('adds what it holds to what is there, and gives way where it differs', () => {
    const region = new Region();
    for (const operation of [limit(5000), set('mine', '1'), set('both', 'here'), set('same', '=')]) {
      const { kind, payload } = kindAndPayload(operation);
      region.append(11, kind, payload);
    }
    region.replicate(100_000);
    expect([...region.first.machine.state.keys()]).toEqual(['mine', 'both', 'same']);
    expect(region.first.changes).toEqual([]);
    const hub = new FakeHub();
    const remote = [set('both', 'there'), set('same', '=')].map((operation, index) => ({ ...kindAndPayload(operation, elsewhere), session: 500, sequence: index + 1 }));
    hub.append(incarnationOf(21), 1, NO_CHAIN, remote);
    region.enter(hub.entry(1) ?? new Uint8Array());
    hub.append(incarnationOf(1), 1, NO_CHAIN, [...region.replica.pending].map(({ operation }) => operation));
    region.enter(hub.entry(2) ?? new Uint8Array());
    const { state } = region.first.machine;
    expect([...state.entries()]).toEqual([['both', 'there'], ['same', '='], ['mine', '1']]);
    expect(state.quota).toBe(5000);
    expect(region.replica.rejections.items.map(({ reason }) => reason)).toEqual(['expected']);
  });

  test('ignores what is said of a replica before', () => {
    const region = new Region();
    region.append(99, LINK, encodeLink({ ...NO_LINK, connected: true }));
    expect(region.first.machine.replica).toBe(null);
    expect(Array.from(region.first.machine.snapshot(), ({ kind }) => kind)).not.toContain(70);
  });
});

describe('too many writes that wait', () => {
  test('are rejected, whatever they ask, and fit again once some are confirmed', () => {
    const scene = new Scene(200);
    scene.remote(set('a', '1'));
    const outcomes: boolean[] = [];
    const write = (operation: PlainOperation): void => {
      const { kind, payload } = kindAndPayload(operation);
      const { outcome } = scene.region.append(11, kind, payload);
      outcomes.push(outcome.accepted);
      if (!outcome.accepted) expect(outcome).toMatchObject({ quota: 200, unsent: true });
    };
    for (let index = 0; index < 7; index++) write(set('k', `${index}`));
    expect(outcomes).toEqual([true, true, true, true, true, true, false]);
    const before = scene.entries;
    for (const operation of [remove('a'), { do: 'clear' }, limit(10), compare('a', '1', null), { do: 'barrier' }] as const) write(operation);
    expect(outcomes.slice(7)).toEqual([false, false, false, false, false]);
    expect(scene.entries).toEqual(before);
    scene.confirm();
    write(remove('a'));
    expect(outcomes.at(-1)).toBe(true);
    expect(scene.entries).toEqual([['k', '5']]);
  });
});

test('a replica of more bytes than one record of a snapshot has is restored whole', () => {
  const scene = new Scene(2 ** 27);
  scene.remote(limit(2 ** 30));
  for (const key of ['a', 'b', 'c']) scene.write(set(key, key.repeat(7_000_000)));
  const snapshot = Array.from(scene.region.first.machine.snapshot(), ({ kind, payload }) => ({ kind, payload: Uint8Array.from(payload) }));
  expect(snapshot.length).toBeGreaterThan(2);
  const machine = new MapMachine(ownUrl);
  machine.reset();
  for (const { kind, payload } of snapshot) machine.restore(kind, payload);
  machine.restored();
  expect(['a', 'b', 'c'].map((key) => machine.state.get(key) === key.repeat(7_000_000))).toEqual([true, true, true]);
  expect(machine.replica?.pending.length).toBe(3);
});

describe('hostile bytes', () => {
  const kinds = [SET, REMOVE, CLEAR, LIMIT, COMPARE, BARRIER, ADD];
  const writer = new RecordWriter();
  const whole = fc.constantFrom(
    Uint8Array.from(writer.set(ownUrl, elsewhere, 'k', '\u1234')),
    Uint8Array.from(writer.compare(ownUrl, elsewhere, { key: 'k', expected: '\u1234', value: 'v' })),
    // A number that grows beyond all numbers, and then is none.
    Uint8Array.from([...Array.from({ length: 160 }, () => 0x80), 0]),
  );
  const payload = fc.oneof(
    fc.uint8Array({ maxLength: 30 }),
    fc.tuple(whole, fc.nat(), fc.nat({ max: 255 })).map(([bytes, at, byte]) => bytes.with(at % bytes.length, byte)),
    fc.tuple(whole, fc.nat()).map(([bytes, length]) => bytes.slice(0, length % bytes.length)),
    whole,
  );

  test('in operations are refused, and never stop the journal', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...kinds), payload), { minLength: 1, maxLength: 5 }), (payloads) => {
        const scene = new Scene();
        scene.write(set('mine', '1'));
        const operations = payloads.map(([kind, bytes], index): Operation => ({ kind, payload: bytes, session: 500, sequence: index + 1 }));
        const batch = encodeBatch(batchOf({ incarnation: incarnationOf(21), first: 1, previous: NO_CHAIN, operations }));
        scene.region.enter(Uint8Array.from(encodeEntry({ epoch: 'e', position: 1, digest }, batch)));
        expect(scene.region.replica.position).toBe(1);
        const { state } = scene.region.first.machine;
        expect(state.get('mine')).toBe('1');
        expect(Number.isSafeInteger(state.quota)).toBe(true);
        expect(new Map(scene.region.first.told)).toEqual(new Map(state.entries()));
        scene.region.restart();
      }),
      { numRuns: 1000 },
    );
  });

  test('in a batch have their place in the order, and no effect', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }).map((bytes) => (bytes.length === 0 ? bytes : bytes.with(0, 1))), (bytes) => {
        const scene = new Scene();
        scene.write(set('mine', '1'));
        try {
          scene.region.enter(Uint8Array.from(encodeEntry({ epoch: 'e', position: 1, digest }, bytes)));
        } catch (error) {
          // By chance it may be a batch of operations that nobody knows.
          expect(error).toMatchObject({ code: 'unknown-record' });
          return;
        }
        expect(scene.region.replica.position).toBe(1);
        expect(scene.entries).toContainEqual(['mine', '1']);
      }),
      { numRuns: 1000 },
    );
  });

  test('in a snapshot have no effect at all', () => {
    const scene = new Scene();
    scene.remote(set('a', '1'), set('b', '\u1234'), limit(500));
    scene.write(set('mine', '1'));
    const good = scene.hub.snapshot(1);
    const { epoch, position } = scene.region.replica;
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.nat({ max: good.length - 1 }).map((length) => good.slice(0, length)),
      fc.uint8Array({ minLength: 1, maxLength: 9 }).map((more) => Uint8Array.from([...good, ...more])),
      fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 })).map(([at, byte]) => good.with(at, byte)),
    );
    fc.assert(
      fc.property(hostile, fc.boolean(), (base, seed) => {
        scene.region.restart();
        const { machine } = scene.region.first;
        const state = (): unknown => {
          const { replica } = scene.region;
          const { state } = machine;
          return [[...state.entries()], state.quota, [...replica.pending], replica.position, replica.clients.last(incarnationOf(21))];
        };
        const before = state();
        try {
          machine.apply({ kind: BASE, session: 98, sequence: 1, payload: Uint8Array.from(encodeBase({ from: { epoch, position }, seed, base })) });
        } catch (error) {
          expect(error).toBeInstanceOf(HoldfastError);
          expect(error).toMatchObject({ code: 'unknown-record' });
        }
        // What can be read may have taken effect; whatever it is, it is whole.
        if (!readable(base)) expect(state()).toEqual(before);
        expect(new Map(scene.region.first.told)).toEqual(new Map(machine.state.entries()));
      }),
      { numRuns: 1000 },
    );
  });

  function readable(base: Uint8Array): boolean {
    const machine = new MapMachine(ownUrl);
    const apply = (kind: number, payload: Uint8Array): unknown => machine.apply({ kind, session: 1, sequence: 1, payload });
    apply(REPLICATE, encodeReplicate({ incarnation: incarnationOf(9), region: 'r', cap: 9 }));
    machine.replica?.linked({ ...NO_LINK, head: 77 });
    try {
      return machine.replica?.rebase({ from: { epoch: '', position: 0 }, seed: false, base }, 1) ?? false;
    } catch {
      return false;
    }
  }
});

describe('what only newer code knows stops the journal, for later', () => {
  const stops = (run: () => unknown): void => {
    expect(run).toThrow(expect.objectContaining({ code: 'unknown-record' }));
  };

  test('an operation of another kind, before anything of its entry has an effect', () => {
    const scene = new Scene();
    const operations = [{ ...kindAndPayload(set('a', '1')), session: 500, sequence: 1 }, { kind: 11, payload: new Uint8Array(), session: 500, sequence: 2 }];
    const batch = encodeBatch(batchOf({ incarnation: incarnationOf(21), first: 1, previous: NO_CHAIN, operations }));
    stops(() => scene.region.append(99, ENTRY, Uint8Array.from(encodeEntry({ epoch: 'e', position: 1, digest }, batch))));
    expect(scene.entries).toEqual([]);
    expect(scene.region.replica.position).toBe(0);
  });

  test('an entry or a snapshot of another version', () => {
    const scene = new Scene();
    stops(() => scene.region.enter(Uint8Array.from(encodeEntry({ epoch: 'e', position: 1, digest }, Uint8Array.of(4)))));
    stops(() => scene.region.rebase(Uint8Array.of(4), false));
  });
});

test('equal maps have equal bytes, and what is read is what was written', () => {
  const text = fc.oneof(fc.string({ maxLength: 8, unit: 'binary' }), fc.constantFrom('\ud800', '\ufeffbom', '__proto__', 'x'.repeat(40_000)));
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(text, text), { selector: ([key]) => key, maxLength: 20 }), fc.nat(), (entries, quota) => {
      const model = new MapModel();
      model.base.quota = quota;
      for (const [key, value] of entries) model.base.put(key, value);
      const bytes = (of: MapModel): Uint8Array => {
        const writer = new ByteWriter();
        of.write(writer);
        return Uint8Array.from(writer.finish());
      };
      const copy = new MapModel();
      copy.read(new ByteReader(bytes(model)));
      expect([[...copy.base.entries()], copy.base.quota]).toEqual([entries, quota]);
      expect(Buffer.compare(bytes(copy), bytes(model))).toBe(0);
    }),
    { numRuns: 200 },
  );
});
