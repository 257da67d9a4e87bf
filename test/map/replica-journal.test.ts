import fs from 'node:fs';
import path from 'node:path';
import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { MapChange } from '../../src/disk/map/map-area.ts';
import { MapJournal, type MapJournalOptions } from '../../src/disk/map/map-journal.ts';
import type { BucketPlace } from '../../src/disk/place.ts';
import { encodeBatch } from '../../src/disk/replica/encode-batch.ts';
import type { Operation } from '../../src/disk/replica/operation.ts';
import type { ReplicaJournal } from '../../src/disk/replica/replica-journal.ts';
import { ACKNOWLEDGE, ENTRY, LINK, REPLICATE } from '../../src/disk/replica/replica-kinds.ts';
import { encodeAcknowledge, encodeEntry, encodeLink, encodeReplicate } from '../../src/disk/replica/replica-records.ts';
import { createStorage } from '../../src/web-storage/storage.ts';
import { ClientProcess, endClientProcesses } from './client-process.ts';
import type { PlainOperation } from './plain-map.ts';
import { batchOf, digest, elsewhere, incarnationOf, kindAndPayload } from './replica-region.ts';
import { newPlace, newSession, ownUrl, removePlaces, until } from './temporary-bucket.ts';

const open: MapJournal[] = [];

function realm(place: BucketPlace, options: Partial<MapJournalOptions> = {}): MapJournal {
  const map = new MapJournal(place, { url: ownUrl, ...options });
  open.push(map);
  return map;
}

const clientOf = (map: MapJournal, url = ownUrl) => map.client(newSession(), url);

afterEach(async () => {
  vi.restoreAllMocks();
  await endClientProcesses();
  for (const map of open.splice(0)) map.close();
  removePlaces();
});

function replicate(journal: ReplicaJournal, cap = 1_000_000): void {
  journal.append(REPLICATE, encodeReplicate({ incarnation: incarnationOf(1), region: 'here', cap }));
}

/** What a hub would send next: a batch of another region, or the echo of all that is pending. */
function receive(journal: ReplicaJournal, incarnation: string, first: number, operations: readonly Operation[]): void {
  const replica = journal.current();
  const batch = encodeBatch(batchOf({ incarnation, first, previous: replica.clients.last(incarnation).chain, operations }));
  journal.append(ENTRY, encodeEntry({ epoch: 'e', position: replica.position + 1, digest }, batch));
}

function receiveRemote(journal: ReplicaJournal, ...operations: PlainOperation[]): void {
  const incarnation = incarnationOf(21);
  const { number } = journal.current().clients.last(incarnation);
  const made = operations.map((operation, index) => ({ ...kindAndPayload(operation, elsewhere), session: 500, sequence: number + index + 1 }));
  receive(journal, incarnation, number + 1, made);
}

function receiveEchoes(journal: ReplicaJournal): void {
  const { pending } = journal.current();
  const head = pending.at(0);
  if (head !== undefined) receive(journal, head.incarnation, head.number, [...pending].map(({ operation }) => operation));
}

describe('the journal of a replica', () => {
  test('of a bucket that does not exist is empty and not active, and no look makes one', () => {
    const place = newPlace();
    const journal = realm(place).replicaJournal();
    journal.watch(() => undefined);
    const replica = journal.current();
    expect([replica.active, replica.pending.length, replica.position]).toEqual([false, 0, 0]);
    expect(fs.existsSync(path.dirname(place.path))).toBe(false);
  });

  test('makes the bucket with its first record', () => {
    const place = newPlace();
    replicate(realm(place).replicaJournal());
    expect(realm(place).replicaJournal().current().active).toBe(true);
  });

  test('has what any realm wrote as pending, and any realm shows what comes from the hub', () => {
    const place = newPlace();
    const [a, b] = [realm(place), realm(place)];
    clientOf(a).set('before', '0');
    replicate(a.replicaJournal());
    clientOf(b).set('k', '1');
    const journal = a.replicaJournal();
    expect(journal.current().pending.length).toBe(2);
    receiveRemote(journal, { do: 'set', key: 'far', value: '2' });
    expect(clientOf(b).keys()).toEqual(['far', 'before', 'k']);
    receiveEchoes(b.replicaJournal());
    expect(journal.current().pending.length).toBe(0);
    expect(clientOf(realm(place)).keys()).toEqual(['far', 'before', 'k']);
  });

  test('outlives compaction, and those who come late hear each difference once', () => {
    const place = newPlace();
    const map = realm(place, { compactAt: 3000 });
    const journal = map.replicaJournal();
    const late = realm(place, { compactAt: 3000 });
    const heard = new Map<string, string>();
    replicate(journal);
    clientOf(late).subscribe(({ key, oldValue, newValue }) => {
      expect(heard.get(key ?? '') ?? null).toBe(oldValue);
      heard.set(key ?? '', newValue ?? '');
    });
    const writer = clientOf(map);
    for (let index = 0; index < 600; index++) {
      writer.set(`k${index % 7}`, `${index}`);
      if (index % 50 === 0) receiveRemote(journal, { do: 'set', key: `far${index % 3}`, value: `${index}` });
      if (index % 90 === 89) receiveEchoes(journal);
    }
    expect(fs.readdirSync(path.join(place.path, 'local-storage'))).not.toContain('0');
    const fresh = clientOf(realm(place));
    expect(fresh.keys()).toEqual(writer.keys());
    expect(realm(place).replicaJournal().current().pending.length).toBe(journal.current().pending.length);
    const view = clientOf(late);
    const entries = view.keys().map((key) => [key, view.get(key)]);
    expect([...heard].sort()).toEqual(entries.sort());
  });

  test('keeps rejections until they are acknowledged, and what was said of the hub, through compactions', () => {
    const place = newPlace();
    const map = realm(place, { compactAt: 2000 });
    const journal = map.replicaJournal();
    replicate(journal);
    const client = clientOf(map);
    receiveRemote(journal, { do: 'set', key: 'k', value: 'theirs' });
    for (const expected of ['a', 'b']) map.compareAndSet(client, { key: 'k', expected, value: 'mine' });
    receiveEchoes(journal);
    const link = { connected: true, time: 1_800_000_000_000, head: 77, hub: 'a hub', code: '', problem: 'none to speak of' };
    journal.append(LINK, encodeLink(link));
    const compact = (): void => {
      for (let index = 0; index < 100; index++) client.set('k', `${index}`);
      receiveEchoes(journal);
    };
    const kept = (): unknown[] => {
      const { rejections, link } = realm(place).replicaJournal().current();
      return [rejections.items.map(({ serial, reason }) => [serial, reason]), link];
    };
    compact();
    expect(Math.max(...fs.readdirSync(path.join(place.path, 'local-storage')).filter((name) => name !== 'cand').map(Number))).toBeGreaterThan(0);
    expect(kept()).toEqual([[[1, 'expected'], [2, 'expected']], link]);
    journal.append(ACKNOWLEDGE, encodeAcknowledge(1));
    compact();
    expect(kept()).toEqual([[[2, 'expected']], link]);
  });

  test('is unreadable once the map is closed', () => {
    const map = realm(newPlace());
    const journal = map.replicaJournal();
    replicate(journal);
    map.close();
    expect(() => journal.current()).toThrow(expect.objectContaining({ code: 'closed' }));
    expect(() => journal.append(ENTRY, new Uint8Array())).toThrow(expect.objectContaining({ code: 'closed' }));
  });
});

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('watchers', () => {
  test('hear of appends by their own realm without the help of the system, once for all of a turn', async () => {
    vi.spyOn(fs, 'watch').mockImplementation(() => {
      throw new Error('no more watches');
    });
    const map = realm(newPlace());
    const journal = map.replicaJournal();
    replicate(journal);
    let news = 0;
    journal.watch(() => (news += 1));
    const client = clientOf(map);
    for (let index = 0; index < 100; index++) client.set('k', `${index}`);
    expect(news).toBe(0);
    await nextTurn();
    expect(news).toBe(1);
    receiveRemote(journal, { do: 'set', key: 'far', value: '1' });
    await nextTurn();
    expect(news).toBe(2);
  });

  test('hear of appends by others, also of the first one to a bucket that did not exist', async () => {
    const place = newPlace();
    let news = 0;
    const journal = realm(place).replicaJournal();
    journal.watch(() => (news += 1));
    clientOf(realm(place)).set('k', '1');
    await until(() => news > 0);
  });

  test('are called in no client\'s context, and hear nothing after they left', async () => {
    const context = new AsyncLocalStorage<string>();
    const map = realm(newPlace());
    const journal = map.replicaJournal();
    const contexts: unknown[] = [];
    const left: number[] = [];
    const leave = context.run('tenant', () => journal.watch(() => left.push(1)));
    context.run('tenant', () => journal.watch(() => contexts.push(context.getStore())));
    leave();
    context.run('tenant', () => clientOf(map).set('k', '1'));
    await until(() => contexts.length > 0);
    expect([new Set(contexts), left]).toEqual([new Set([undefined]), []]);
  });

  test('keep the directory watched while they are there, and no longer', () => {
    const map = realm(newPlace());
    const leave = map.replicaJournal().watch(() => undefined);
    expect(map.isWatching).toBe(true);
    const unsubscribe = clientOf(map).subscribe(() => undefined);
    leave();
    expect(map.isWatching).toBe(true);
    unsubscribe();
    expect(map.isWatching).toBe(false);
  });
});

describe('writes that the hub decides', () => {
  const setUp = (cap?: number) => {
    const place = newPlace();
    const map = realm(place);
    const journal = map.replicaJournal();
    replicate(journal, cap);
    return { place, map, journal, client: clientOf(map) };
  };
  const isPending = (journal: ReplicaJournal, id: unknown): boolean =>
    [...journal.current().pending].some(({ operation: { session, sequence } }) => JSON.stringify({ session, sequence }) === JSON.stringify(id));

  test('a comparison has effect if the order finds the expected value, even if this region did not', () => {
    const { map, journal, client } = setUp();
    client.set('k', 'stale');
    const submission = map.compareAndSet(client, { key: 'k', expected: 'fresh', value: 'mine' });
    if (!submission.accepted) throw new Error('It was not accepted.');
    expect([client.get('k'), isPending(journal, submission.id)]).toEqual(['stale', true]);
    const [first, second] = [...journal.current().pending].map(({ operation }) => operation);
    if (first === undefined || second === undefined) throw new Error('Both must be pending.');
    receive(journal, incarnationOf(1), 1, [first]);
    receiveRemote(journal, { do: 'set', key: 'k', value: 'fresh' });
    receive(journal, incarnationOf(1), 2, [second]);
    expect([client.get('k'), isPending(journal, submission.id), journal.current().rejections.items]).toEqual(['mine', false, []]);
  });

  test('a comparison that the order refuses is a rejection, and what showed meanwhile goes', () => {
    const { map, journal, client } = setUp();
    const heard: MapChange[] = [];
    client.subscribe((change) => heard.push(change));
    const submission = map.compareAndSet(client, { key: 'k', expected: null, value: 'mine' });
    expect(client.get('k')).toBe('mine');
    receiveRemote(journal, { do: 'set', key: 'k', value: 'theirs' });
    receiveEchoes(journal);
    const [rejection] = journal.current().rejections.items;
    expect(rejection).toMatchObject({ reason: 'expected', operation: submission.accepted ? submission.id : {} });
    expect(client.get('k')).toBe('theirs');
    // The writer hears as well: what it wrote is gone.
    expect(heard.at(-1)).toMatchObject({ key: 'k', newValue: 'theirs' });
  });

  test('a barrier changes nothing, and waits for its echo', () => {
    const { map, journal, client } = setUp();
    const submission = map.barrier(client);
    if (!submission.accepted) throw new Error('It was not accepted.');
    expect([client.length, isPending(journal, submission.id)]).toEqual([0, true]);
    receiveEchoes(journal);
    expect(isPending(journal, submission.id)).toBe(false);
  });

  test('are refused by a map that follows no hub', () => {
    const map = realm(newPlace());
    const client = clientOf(map);
    expect(() => map.barrier(client)).toThrow(expect.objectContaining({ code: 'bad-option' }));
    expect(() => map.compareAndSet(client, { key: 'k', expected: null, value: '1' })).toThrow(expect.objectContaining({ code: 'bad-option' }));
    expect(client.get('k')).toBe(null);
  });

  test('too many that wait are rejected without a record, also a removal, as QuotaExceededError on the web\'s surface', () => {
    const { place, map, journal, client } = setUp(100);
    const storage = createStorage(client);
    storage.setItem('k', 'x'.repeat(80));
    const size = (): number => fs.statSync(path.join(place.path, 'local-storage', '0')).size;
    const before = size();
    const refused = (write: () => void): void => {
      expect(write).toThrow(expect.objectContaining({ name: 'QuotaExceededError', quota: 100, message: expect.stringContaining('wait for the hub') }));
    };
    refused(() => storage.setItem('l', '1'));
    refused(() => storage.removeItem('k'));
    refused(() => storage.clear());
    refused(() => delete storage['k']);
    expect(map.barrier(client)).toMatchObject({ accepted: false, unsent: true });
    expect(size()).toBe(before);
    receiveEchoes(journal);
    storage.removeItem('k');
    expect(storage.length).toBe(0);
  });
});

describe('several processes', () => {
  test('write while one of them follows the hub: all agree, nothing is lost, events tell it all', async () => {
    const place = newPlace();
    const start = (url = ownUrl) => ClientProcess.start({ directory: place.path, session: newSession(), url, options: { url: ownUrl, compactAt: 20_000 } });
    const map = realm(place, { compactAt: 20_000 });
    const journal = map.replicaJournal();
    replicate(journal, 50_000_000);
    const [writer, other, listener] = await Promise.all([start(), start(), start()]);
    await listener.ask({ do: 'subscribe' });
    let running = true;
    const count = 400;
    const writes = Promise.all(
      [writer, other].map(async (client, which) => {
        for (let index = 0; index < count; index++) await client.ask({ do: 'set', key: `${which}:${index % 20}`, value: `${index}` });
      }),
    ).then(() => (running = false));
    for (let round = 0; running; round++) {
      if (round % 3 === 0) receiveRemote(journal, { do: 'set', key: `far${round % 10}`, value: `${round}` });
      receiveEchoes(journal);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await writes;
    receiveEchoes(journal);
    const replica = journal.current();
    expect([replica.pending.length, replica.rejections.items]).toEqual([0, []]);
    const views = await Promise.all([writer, other, listener].map((client) => client.ask<[string, string][]>({ do: 'entries' })));
    const here = clientOf(map);
    const view = here.keys().map((key) => [key, here.get(key)]);
    for (const each of views) expect(each).toEqual(view);
    for (const which of [0, 1]) expect(here.get(`${which}:19`)).toBe(`${count - 1}`);
    await writer.ask({ do: 'set', key: 'end', value: '' });
    await until(() => listener.changes.at(-1)?.key === 'end');
    const told = new Map<string | null, string | null>();
    for (const { key, oldValue, newValue } of listener.changes) {
      expect(told.get(key) ?? null).toBe(oldValue);
      told.set(key, newValue);
    }
    told.delete('end');
    expect([...told].sort()).toEqual([...view].sort());
  });
});
