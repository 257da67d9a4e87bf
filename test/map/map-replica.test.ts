import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MapMachine } from '../../src/disk/map/map-machine.ts';
import { NO_CHAIN } from '../../src/disk/replica/chain.ts';
import { ClientTable } from '../../src/disk/replica/client-table.ts';
import type { Operation } from '../../src/disk/replica/operation.ts';
import { confirmed, shown } from './plain-map.ts';
import type { PlainMap, PlainOperation } from './plain-map.ts';
import { elsewhere, FakeHub, idOf, incarnationOf, kindAndPayload, plain, Region } from './replica-region.ts';
import { ownUrl } from './temporary-bucket.ts';

/** Few keys and values, so that operations meet. */
const key = fc.constantFrom('a', 'b', 'c', 'd', '\ud800', '');
const value = fc.constantFrom('', '1', '22', '\u1234');
const expectation = fc.option(value, { nil: null });
/** As a transaction makes them, a key comes again only after it was removed; others may come from anywhere. */
const batch = fc.array(fc.oneof({ weight: 9, arbitrary: fc.record({ key, value: expectation }) }, { weight: 1, arbitrary: fc.constant({ key: null, value: null }) }), { maxLength: 4 });
const local: fc.Arbitrary<PlainOperation> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('set' as const), key, value }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('remove' as const), key }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('compare' as const), key, expected: expectation, value: expectation }) },
  { weight: 1, arbitrary: fc.constant({ do: 'clear' as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('limit' as const), quota: fc.nat({ max: 30 }) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'barrier' as const }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('batch' as const), reads: fc.uniqueArray(fc.tuple(key, expectation), { maxLength: 2, selector: ([name]) => name }), steps: batch }) },
);
const remote = fc.oneof({ weight: 12, arbitrary: local }, { weight: 1, arbitrary: fc.constant({ do: 'nonsense' as const }) });

const step = fc.oneof(
  { weight: 10, arbitrary: fc.tuple(fc.constant('write' as const), fc.constantFrom(11, 12, 13), local) },
  { weight: 5, arbitrary: fc.tuple(fc.constant('remote' as const), fc.constantFrom(21, 22), fc.array(remote, { minLength: 1, maxLength: 4 })) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('fork' as const), fc.constantFrom(21, 22), fc.array(remote, { minLength: 1, maxLength: 2 })) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('nonsense' as const)) },
  { weight: 6, arbitrary: fc.tuple(fc.constant('send' as const), fc.integer({ min: 1, max: 5 })) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('repeat' as const), fc.nat({ max: 6 })) },
  { weight: 8, arbitrary: fc.tuple(fc.constant('receive' as const), fc.integer({ min: 1, max: 4 })) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('receive at' as const), fc.integer({ min: -2, max: 3 })) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('incarnate' as const)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('look' as const)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('catch up' as const), fc.boolean()) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('restart' as const)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('bootstrap' as const), fc.nat({ max: 20 })) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('lose' as const), fc.integer({ min: 1, max: 4 })) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('new log' as const)) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Incarnations that are remembered: as many as ever, or so few that each is forgotten again and again. */
const clients = fc.constantFrom(ClientTable.most, ClientTable.most, 2);

/** Plays steps, and compares what the region shows with what it must show after each. */
class Play {
  readonly hub = new FakeHub();
  readonly region = new Region();
  /** What was accepted here since the map follows the hub, by id. */
  readonly written = new Map<string, PlainOperation>();
  /** What the order has ever refused; a hub that forgets may later accept it. */
  readonly #refused = new Set<string>();
  #incarnations = 1;
  #sequence = 0;
  #epochs = 0;

  constructor(before: readonly PlainOperation[], cap: number) {
    for (const operation of before) this.#append(11, operation);
    this.region.replicate(cap);
    this.check();
  }

  #append(session: number, operation: PlainOperation): void {
    const { kind, payload } = kindAndPayload(operation, `${ownUrl}${session}`);
    const { id, outcome } = this.region.append(session, kind, payload);
    const pending = this.region.first.machine.replica?.pending;
    if (pending === undefined) return;
    expect(pending.at(pending.length - 1)?.operation).toEqual(outcome.accepted ? { ...id, kind, payload } : pending.at(pending.length - 1)?.operation);
    if (outcome.accepted) this.written.set(idOf(id), operation);
  }

  take(step: Step): void {
    switch (step[0]) {
      case 'write':
        return this.#append(step[1], step[2]);
      case 'remote':
        return this.#remote(step[1], step[2], false);
      case 'fork':
        return this.#remote(step[1], step[2], true);
      case 'nonsense':
        return this.hub.appendNonsense();
      case 'send':
        return this.#send(step[1]);
      case 'repeat':
        return this.hub.repeat(step[1]);
      case 'receive':
        return this.#receive(step[1]);
      case 'receive at':
        return this.#receiveAt(this.region.replica.position + step[1]);
      case 'incarnate':
        return this.#incarnate();
      case 'look':
        return this.#look(this.region.first.machine);
      case 'catch up':
        return this.region.catchUp(step[1]);
      case 'restart':
        return this.region.restart();
      case 'bootstrap':
        return this.#bootstrap(Math.min(step[1], this.hub.log.length));
      case 'lose':
        return this.#lose(step[1]);
      case 'new log':
        return this.#newLog();
    }
  }

  #remote(region: number, operations: readonly PlainOperation[], fork: boolean): void {
    const incarnation = incarnationOf(1000 * this.#epochs + region);
    const position = this.hub.log.length;
    const { number, chain } = confirmed(this.hub.batches(position)).clients.get(incarnation) ?? { number: 0, chain: NO_CHAIN };
    const batch = operations.map((operation): Operation => ({ ...kindAndPayload(operation, elsewhere), session: 500 + region, sequence: ++this.#sequence }));
    this.hub.append(incarnation, number + 1, fork ? 'f0'.repeat(16) : chain, batch, position);
  }

  /** What is pending is sent again and again until its echo comes. */
  #send(most: number): void {
    const { replica } = this.region;
    if (replica.diverged) this.#incarnate();
    const head = replica.pending.at(0);
    if (head === undefined) return;
    const end = [...replica.pending].findIndex(({ incarnation }) => incarnation !== head.incarnation);
    const batch = [...replica.pending].slice(0, end < 0 ? most : Math.min(end, most));
    this.hub.append(head.incarnation, head.number, replica.pending.chainBefore(0), batch.map(({ operation }) => operation), replica.position);
  }

  #receive(count: number): void {
    for (let left = count; left > 0; left--) this.#receiveAt(this.region.replica.position + 1);
  }

  #receiveAt(position: number): void {
    const entry = this.hub.entry(position);
    if (entry === null) return;
    const { first, replica } = this.region;
    const pending = [...replica.pending].map(({ operation }) => idOf(operation));
    const { serial } = replica.rejections;
    this.region.enter(entry);
    const ids = (this.hub.log[position - 1]?.batch?.operations ?? []).map(({ id }) => id);
    this.#checkAuthors(ids);
    const own = ids.filter((id) => pending.includes(id));
    // An echo is no news, but a rejection is, for everybody.
    if (ids.length > 0 && own.every((id, index) => id === pending[index]) && own.length === ids.length && replica.rejections.serial === serial) expect(first.changes).toEqual([]);
    if (own.length === 0) expect(first.changes.map(({ session }) => session)).not.toContain(0);
  }

  #checkAuthors(ids: readonly string[]): void {
    for (const { session, url } of this.region.first.changes) {
      if (session !== 0) expect(ids.map((id) => Number(id.split(':')[0]))).toContain(session);
      expect(url.startsWith(session > 500 ? elsewhere : ownUrl)).toBe(true);
    }
  }

  #incarnate(): void {
    this.#incarnations += 1;
    this.region.incarnate(1_000_000 + this.#incarnations);
  }

  #bootstrap(position: number): void {
    this.region.rebase(this.hub.snapshot(position), false);
  }

  /** The hub was restored from a backup: its last entries are gone. */
  #lose(count: number): void {
    this.hub.log = this.hub.log.slice(0, -count);
    this.#newEpoch();
    this.region.rebase(this.hub.snapshot(this.hub.log.length), false);
  }

  /** What the old log had confirmed goes on as what the map held. */
  #newLog(): void {
    const { accepted, refused } = confirmed(this.hub.batches(this.region.replica.position));
    for (const id of [...accepted, ...refused]) this.written.delete(id);
    this.hub.log = [];
    this.#newEpoch();
    this.region.rebase(this.hub.snapshot(0), true);
  }

  #newEpoch(): void {
    this.hub.epoch = `${this.hub.epoch}+`;
    // The other regions number anew.
    this.#epochs += 1;
  }

  #expected(): PlainMap {
    const { replica } = this.region;
    return shown(this.hub.batches(replica.position), [...replica.pending].map(({ operation }) => plain(operation)));
  }

  check(): void {
    const { first, replica } = this.region;
    const { state } = first.machine;
    const expected = this.#expected();
    expect([state.bytes, state.quota, state.size]).toEqual([expected.bytes(), expected.quota, expected.entries.length]);
    for (const [name, content] of expected.entries) expect(state.get(name)).toBe(content);
    expect(new Map(first.told)).toEqual(new Map(expected.entries));
    const { base, refused } = confirmed(this.hub.batches(replica.position));
    expect(this.#base()).toEqual([base.entries, base.quota]);
    for (const id of refused) this.#refused.add(id);
    for (const { operation, reason } of replica.rejections.items) {
      if (reason !== 'unknown') expect(this.#refused).toContain(idOf(operation));
    }
  }

  #base(): unknown {
    const model = this.region.replica.model as unknown as { base: MapMachine['state'] };
    return [[...model.base.entries()], model.base.quota];
  }

  #look(machine: MapMachine): void {
    const { entries } = this.#expected();
    const { state } = machine;
    expect(entries.map((_, index) => state.key(index))).toEqual(entries.map(([name]) => name));
    expect([state.keys(), state.key(entries.length)]).toEqual([entries.map(([name]) => name), undefined]);
  }

  /** Nothing of what was written disappears: it is pending, in the log's order, or was rejected. */
  #checkNothingLost(): void {
    const { replica } = this.region;
    const { accepted, refused } = confirmed(this.hub.batches(replica.position));
    const pending = new Set([...replica.pending].map(({ operation }) => idOf(operation)));
    const rejected = new Set(replica.rejections.items.map(({ operation }) => idOf(operation)));
    for (const id of this.written.keys()) {
      expect(Number(pending.has(id)) + Number(accepted.has(id)) + Number(refused.has(id) || rejected.has(id)), id).toBeGreaterThan(0);
    }
  }

  finish(): void {
    this.#look(this.region.first.machine);
    this.#checkNothingLost();
    this.region.catchUp(false);
    this.#look(this.region.second.machine);
    expect(new Map(this.region.second.told)).toEqual(new Map(this.#expected().entries));
    // All echoes come: then the view is the base.
    for (let round = 0; round < 100 && this.region.replica.pending.length > 0; round++) {
      this.#send(50);
      this.#receive(this.hub.log.length);
      this.check();
    }
    expect(this.region.replica.pending.length).toBe(0);
    this.#look(this.region.first.machine);
    expect(this.#base()).toEqual([[...this.region.first.machine.state.entries()], this.region.first.machine.state.quota]);
  }
}

/** More by hand: HOLDFAST_REPLICA_RUNS=10000. */
const runs = Number(process.env['HOLDFAST_REPLICA_RUNS'] ?? 300);

test('it shows what the log and the pending operations make, whatever happens', { timeout: 60_000 + 200 * runs }, () => {
  fc.assert(
    fc.property(fc.array(local, { maxLength: 4 }), fc.constantFrom(2000, 2000, 300), clients, fc.array(step, { maxLength: 60, size: 'max' }), (before, cap, most, steps) => {
      ClientTable.most = most;
      const play = new Play(before, cap);
      for (const step of steps) {
        play.take(step);
        play.check();
      }
      play.finish();
    }),
    { numRuns: runs },
  );
});

