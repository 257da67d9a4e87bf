import { createHash } from 'node:crypto';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { RecordWriter, SET } from '../../src/disk/map/map-records.ts';
import { ByteWriter } from '../../src/disk/replica/byte-writer.ts';
import { chains, NO_CHAIN } from '../../src/disk/replica/chain.ts';
import { onWarning } from '../../src/runtime/warning.ts';
import type { StorageWarning } from '../../src/runtime/warning.ts';
import { SLICE } from '../../src/sync/replicator/slices.ts';
import { baseOf, seal } from '../../src/sync/replicator/snapshot-seal.ts';
import { Wire } from '../../src/sync/replicator/wire.ts';
import { systemSurroundings } from '../../src/sync/replicator/surroundings.ts';
import type { Surroundings } from '../../src/sync/replicator/surroundings.ts';
import { MEMORY_CAPABILITIES, MemoryEngine, memoryHub, MemoryLog } from '../support/memory-hub.ts';
import { Region } from './replicator-region.ts';

const regions: Region[] = [];

/** In which time goes by a hundred times as fast. */
const quick: Surroundings = {
  ...systemSurroundings,
  now: () => 100 * Date.now(),
  after: (milliseconds, callback) => systemSurroundings.after(milliseconds / 100, callback),
};

function region(name: string, engine: MemoryEngine, surroundings = systemSurroundings): Region {
  const made = new Region(name, memoryHub(engine), surroundings);
  regions.push(made);
  made.replicator.start();
  return made;
}

afterEach(async () => {
  for (const { replicator } of regions.splice(0)) await replicator.stop();
});

function until(condition: () => void): Promise<void> {
  return vi.waitFor(condition, { timeout: 30_000, interval: 5 });
}

const LARGE = 'x'.repeat(300_000);
const STRANGER = '01890000-0000-7000-8000-000000000000';

/** An entry of one operation of a kind. */
function entryOf(kind: number, first = 1): Uint8Array {
  const from = 'elsewhere';
  const operations = [{ session: 5, sequence: 1, kind, payload: new Uint8Array(0) }];
  const batch = { incarnation: STRANGER, region: from, first, previous: NO_CHAIN, operations };
  return new Wire(MEMORY_CAPABILITIES, from).encode(batch, { position: 0, digest: new Uint8Array(0) }).bytes;
}

/** An entry of version 1 whose one payload is a blob so many times. */
function bombOf(name: string, count: number, length: number): Uint8Array {
  const writer = new ByteWriter().byte(1).raw(Buffer.from(STRANGER.replaceAll('-', ''), 'hex')).text('evil').integer(1);
  for (const zero of [0, 0, 0, 0]) writer.integer(zero);
  writer.bytes(new Uint8Array(0)).integer(5).integer(1).byte(1).byte(1).integer(count);
  for (let left = count; left > 0; left--) writer.raw(Buffer.from(name, 'hex')).integer(length);
  return writer.finish();
}

describe('a replicator', () => {
  test('brings the writes of each region to the other', async () => {
    const engine = new MemoryEngine();
    const [a, b] = [region('a', engine), region('b', engine)];
    a.set('k', 'of a');
    b.set('l', 'of b');
    await until(() => expect([a.get('l'), b.get('k')]).toEqual(['of b', 'of a']));
    await until(() => expect([a.replica.pending.length, a.replica.link.connected]).toEqual([0, true]));
  });

  test('sends a burst in one entry', async () => {
    const engine = new MemoryEngine();
    const a = region('a', engine);
    await until(() => expect(a.replica.link.connected).toBe(true));
    for (let count = 0; count < 100; count++) a.set(`k${count}`, 'v');
    await until(() => expect(a.replica.position).toBeGreaterThan(0));
    await until(() => expect(a.replica.pending.length).toBe(0));
    expect(engine.log('a').entries.length).toBe(1);
  });

  test('sends under another id what the hub took and the order ignored', async () => {
    const engine = new MemoryEngine();
    const a = region('a', engine);
    await until(() => expect(a.replica.link.connected).toBe(true));
    // As if what comes first had overtaken something that was lost: no replica takes the fifth without the others.
    engine.log('a').append([{ id: `${a.replica.incarnation}.1-1`, bytes: entryOf(1, 5) }]);
    a.set('k', 'v');
    await until(() => expect(a.replica.pending.length).toBe(0));
    expect(engine.log('a').entries.map(({ id }) => id.replace(a.replica.incarnation, ''))).toEqual(['.1-1', '.1-1.1']);
  });

  test('sends what was written while the hub was away', async () => {
    const engine = new MemoryEngine();
    engine.away = true;
    const a = region('a', engine);
    await until(() => expect(a.replica.link.problem).not.toBe(''));
    a.set('k', 'v');
    expect(a.get('k')).toBe('v');
    engine.away = false;
    const b = region('b', engine);
    await until(() => expect(b.get('k')).toBe('v'));
    await until(() => expect(a.replica.link).toMatchObject({ connected: true, problem: '' }));
  });

  test('lets large values travel as blobs, and applies nothing of which a blob is missing or another', async () => {
    const engine = new MemoryEngine();
    const a = region('a', engine);
    a.set('k', LARGE);
    await until(() => expect(a.replica.position).toBe(1));
    const log = engine.log('a');
    expect(log.entries[0]?.bytes.length).toBeLessThan(1000);
    const [name, bytes] = [...log.blobs][0] ?? ['', new Uint8Array(0)];
    log.blobs.set(name, new Uint8Array(bytes.length));
    const b = region('b', engine);
    await until(() => expect(b.replica.link.problem).toMatch(/Entry 1 .* blob .* other bytes/));
    log.blobs.delete(name);
    b.set('l', 'goes on');
    await until(() => expect(b.replica.link.problem).toMatch(/blob .* missing/));
    expect([b.replica.position, b.get('k'), b.get('l')]).toEqual([0, undefined, 'goes on']);
    log.blobs.set(name, bytes);
    await until(() => expect([b.get('k'), b.get('l'), b.replica.pending.length]).toEqual([LARGE, 'goes on', 0]));
  });

  test('never begins with a snapshot that was damaged', async () => {
    const engine = new MemoryEngine();
    const a = region('a', engine);
    a.set('k', 'v');
    await until(() => expect(a.replica.position).toBe(1));
    const log = engine.log('a');
    log.putSnapshot({ position: 1, bytes: new Uint8Array(100) });
    log.trim(1);
    const b = region('b', engine);
    b.set('l', 'goes on');
    await until(() => expect(b.replica.link.problem).toMatch(/snapshot/));
    expect([b.replica.position, b.replica.link.connected, b.get('l')]).toEqual([0, false, 'goes on']);
  });

  test('stops before an operation that only newer code knows', async () => {
    const engine = new MemoryEngine();
    engine.log('a').append([{ id: 'x', bytes: entryOf(199) }]);
    const a = region('a', engine);
    await until(() => expect(a.replica.link.problem).toMatch(/kind 199.*newer version/));
    expect([a.replica.position, a.replica.link.connected]).toEqual([0, false]);
  });

  test('gives an entry that makes no sense its place, and no effect, in every region, and tells of it', async () => {
    const engine = new MemoryEngine();
    const warnings: StorageWarning[] = [];
    const stop = onWarning((warning) => warnings.push(warning));
    const [a, b] = [region('a', engine), region('b', engine)];
    a.set('k', '1');
    await until(() => expect(b.get('k')).toBe('1'));
    const honest = entryOf(1);
    const garbage = [Uint8Array.of(7), new Uint8Array(0), Uint8Array.of(1, 2, 3), honest.subarray(0, honest.length - 1), Uint8Array.of(2, 0, 0, 0, 0)];
    engine.log('a').append(garbage.map((bytes, index) => ({ id: `evil${index}`, bytes })));
    for (const subscriber of engine.log('a').subscribers) subscriber();
    a.set('k', '2');
    await until(() => expect([b.get('k'), a.replica.pending.length]).toEqual(['2', 0]));
    const late = region('c', engine);
    await until(() => expect(late.get('k')).toBe('2'));
    for (const each of [a, b, late]) expect([each.replica.position, each.replica.link.connected]).toEqual([7, true]);
    expect(b.replica.link.problem).toMatch(/Entry 6 of the log 'a' of memory makes no sense/);
    expect(warnings.filter(({ code, path }) => code === 'hub-entry-damaged' && path === '/b')).toHaveLength(5);
    stop();
  });

  test('fetches nothing of an entry that says it is larger than any may be', async () => {
    const engine = new MemoryEngine();
    const blob = new Uint8Array(2 ** 20);
    const name = createHash('sha256').update(blob).digest('hex');
    const log = engine.log('a');
    log.putBlob(name, blob);
    const fetched = vi.spyOn(log.blobs, 'get');
    log.append([{ id: 'bomb', bytes: bombOf(name, 1000, blob.length) }, { id: 'liar', bytes: bombOf(name, 1, blob.length + 1) }]);
    const a = region('a', engine);
    a.set('k', 'v');
    await until(() => expect([a.replica.position, a.get('k')]).toEqual([3, 'v']));
    expect(fetched.mock.calls.length).toBe(1);
  });

  test('needs no snapshot that was damaged where all entries are there', async () => {
    const engine = new MemoryEngine();
    const a = region('a', engine);
    a.set('k', 'v');
    await until(() => expect(a.replica.position).toBe(1));
    engine.log('a').snapshot = { position: 2 ** 50, bytes: new Uint8Array(100) };
    const b = region('b', engine);
    await until(() => expect(b.get('k')).toBe('v'));
  });

  test('does not go on from a snapshot that came late to a hub that was restored', async () => {
    const engine = new MemoryEngine();
    const [a, b] = [region('a', engine), region('b', engine)];
    a.set('k', 'kept');
    await until(() => expect(b.replica.position).toBe(1));
    a.set('k', 'lost');
    await until(() => expect([a.replica.position, b.replica.position, b.get('k')]).toEqual([2, 2, 'lost']));
    const log = engine.log('a');
    const late = { position: 2, bytes: seal(baseOf(b.replica, log.epoch)) };
    await a.replicator.stop();
    await b.replicator.stop();
    log.entries.length = 1;
    const c = region('c', engine);
    c.set('l', 'since');
    await until(() => expect(c.replica.position).toBe(2));
    log.snapshot = late;
    await b.restart();
    await until(() => expect([b.replica.position, b.get('k'), b.get('l')]).toEqual([2, 'kept', 'since']));
  });

  test('applies much that it has read at once in slices, so that others have their turns', async () => {
    const engine = new MemoryEngine();
    const previous = { chain: NO_CHAIN };
    const entries = Array.from({ length: 200 }, (_, index) => {
      const operations = Array.from({ length: 100 }, (__, at) => ({ session: 5, sequence: 1 + 100 * index + at, kind: SET, payload: Uint8Array.from(new RecordWriter().set('', '', `k${at}`, String(index))) }));
      const batch = { incarnation: STRANGER, region: 'elsewhere', first: 1 + 100 * index, previous: previous.chain, operations };
      previous.chain = operations.reduce((chain, operation) => chains.after(chain, operation), previous.chain);
      return { id: `id-${index}`, bytes: new Wire(MEMORY_CAPABILITIES, 'elsewhere').encode(batch, { position: 0, digest: new Uint8Array(0) }).bytes };
    });
    engine.log('a').append(entries);
    const a = region('a', engine);
    const most = { in: 0 };
    for (let before = 0; a.replica.position < entries.length; before = a.replica.position) {
      most.in = Math.max(most.in, a.replica.position - before);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(a.get('k99')).toBe('199');
    expect(100 * most.in).toBeLessThanOrEqual(2 * SLICE);
  });

  test('follows a hub that is full, says so, and sends what is pending when there is room', async () => {
    const engine = new MemoryEngine();
    const [a, b] = [region('a', engine, quick), region('b', engine)];
    const log = engine.log('a');
    log.unnamedBytes = 0;
    a.set('large', LARGE);
    await until(() => expect(a.replica.link).toMatchObject({ connected: true, problem: expect.stringContaining('takes nothing more') as string }));
    const puts = vi.spyOn(MemoryLog.prototype, 'putBlob');
    b.set('k', 'v');
    await until(() => expect([a.get('k'), a.replica.pending.length]).toEqual(['v', 1]));
    // It asks again, and not all the time.
    await until(() => expect(puts.mock.calls.length).toBeGreaterThan(1));
    await until(() => expect(a.replica.link.connected).toBe(true));
    log.unnamedBytes = Infinity;
    await until(() => expect([b.get('large'), a.replica.pending.length, a.replica.link.problem]).toEqual([LARGE, 0, '']));
    vi.restoreAllMocks();
  });

  test('keeps one incarnation over all its starts', async () => {
    const engine = new MemoryEngine();
    const a = region('a', engine);
    for (let start = 1; start <= 50; start++) {
      a.set('k', String(start));
      await until(() => expect(a.replica.pending.length).toBe(0));
      await a.restart();
    }
    expect(a.replica.clients.size).toBe(1);
  });

  test('notices a second replica of its region\'s name', async () => {
    const engine = new MemoryEngine();
    const first = region('same', engine);
    await until(() => expect(first.replica.link.connected).toBe(true));
    region('same', engine).set('k', 'v');
    await until(() => expect(first.replica.link).toMatchObject({ connected: true, problem: expect.stringMatching(/'same'/) as string }));
    expect(first.get('k')).toBe('v');
  });

  test('adds what it has to a hub that lost everything, and puts its old copy aside', async () => {
    const engine = new MemoryEngine();
    const a = region('a', engine);
    a.set('k', 'v');
    await until(() => expect(a.replica.pending.length).toBe(0));
    await until(() => expect(a.replica.position).toBe(1));
    const { subscribers } = engine.log('a');
    engine.logs.delete('a');
    for (const subscriber of subscribers) subscriber();
    const b = region('b', engine);
    await until(() => expect(b.get('k')).toBe('v'));
    expect(a.quarantined.length).toBe(1);
    await until(() => expect(a.replica.link.problem).toMatch(/put aside/));
  });

  test('appends nothing to its journal once it was stopped', async () => {
    const engine = new MemoryEngine();
    const [a, b] = [region('a', engine), region('b', engine)];
    await until(() => expect(a.replica.link.connected).toBe(true));
    await a.replicator.stop();
    const { records } = a;
    b.set('k', 'v');
    await until(() => expect(b.replica.position).toBe(1));
    expect([a.records, a.get('k')]).toEqual([records, undefined]);
  });
});
