import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CacheList } from '../../src/disk/caches/cache-list.ts';
import type { CacheEntry, CacheQuery } from '../../src/disk/caches/entry.ts';
import { CacheMachine } from '../../src/disk/caches/machine.ts';
import { encodeName, encodePut, encodeRemove, kinds, snapshotKinds } from '../../src/disk/caches/records.ts';
import { encodeHead, readHead, type ResponseHead } from '../../src/disk/caches/response-head.ts';
import { Journal } from '../../src/disk/journal/journal.ts';

const entry = (url: string, more: Partial<CacheEntry> = {}): CacheEntry => ({ url, fragment: '', headers: [], vary: null, file: `f-${url}`, size: 100, ...more });
const query = (url: string, more: Partial<CacheQuery> = {}): CacheQuery => ({ url, headers: [], ignoreSearch: false, ignoreVary: false, ...more });

let sequence = 0;
const feed = (machine: CacheMachine, kind: number, payload: Uint8Array): ReturnType<CacheMachine['apply']> =>
  machine.apply({ kind, session: 1, sequence: (sequence += 1), payload });

function copyOf(machine: CacheMachine): CacheMachine {
  const copy = new CacheMachine();
  copy.reset();
  for (const { kind, payload } of machine.snapshot()) copy.restore(kind, new Uint8Array(payload));
  copy.restored();
  return copy;
}

const listing = (machine: CacheMachine): unknown => [...machine.caches.values()].map((cache) => [cache.id, cache.name, [...cache]]);

describe('the index', () => {
  it('keeps names exactly, and what its snapshot says is all of it', () => {
    const machine = new CacheMachine();
    for (const name of ['', 'a', 'unpaired\ud800', 'unpaired\ufffd', 'a\0b']) feed(machine, kinds.open, encodeName(name));
    feed(machine, kinds.delete, encodeName('a'));
    feed(machine, kinds.open, encodeName('a'));
    const id = machine.caches.get('a')?.id ?? 0;
    const headers = [['accept', 'ü'], ['cookie', 'c']] as const;
    for (let index = 0; index < 300; index++) feed(machine, kinds.put, encodePut(id, [entry(`https://x/${index}?q`, { headers, vary: 'Accept', fragment: '#f' }), entry(`https://x/${index}`)]));
    feed(machine, kinds.remove, encodeRemove(id, query('https://x/7', { ignoreSearch: true, ignoreVary: true })));
    expect([...machine.caches.keys()]).toEqual(['', 'unpaired\ud800', 'unpaired\ufffd', 'a\0b', 'a']);
    expect(machine.caches.get('a')?.size).toBe(598);
    const copy = copyOf(machine);
    expect(listing(copy)).toEqual(listing(machine));
    expect(feed(copy, kinds.open, encodeName('new')).cache?.id).toBe(feed(machine, kinds.open, encodeName('new')).cache?.id);
  });

  it('ignores what is put into, or removed from, a cache that is gone', () => {
    const machine = new CacheMachine();
    const id = feed(machine, kinds.open, encodeName('a')).cache?.id ?? 0;
    feed(machine, kinds.delete, encodeName('a'));
    expect(feed(machine, kinds.put, encodePut(id, [entry('https://x/')]))).toEqual({ cache: null, dropped: [] });
    expect(feed(machine, kinds.remove, encodeRemove(id, query('https://x/')))).toEqual({ cache: null, dropped: [] });
    expect(feed(machine, kinds.delete, encodeName('a'))).toEqual({ cache: null, dropped: [] });
  });

  it('takes no byte for granted', () => {
    const payloads = [encodeName('name'), encodePut(1, [entry('https://x/', { headers: [['a', 'b']], vary: 'a', fragment: '#f' })]), encodeRemove(1, query('https://x/', { headers: [['a', 'b']] }))];
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.tuple(fc.constantFrom(...payloads), fc.nat(), fc.nat(255)).map(([bytes, at, value]) => {
        const changed = new Uint8Array(bytes);
        changed[at % changed.length] = value;
        return changed;
      }),
      fc.tuple(fc.constantFrom(...payloads), fc.nat()).map(([bytes, at]) => new Uint8Array(bytes.subarray(0, at % bytes.length))),
    );
    fc.assert(
      fc.property(hostile, fc.integer({ min: 1, max: 6 }), fc.boolean(), (payload, kind, isSnapshot) => {
        const machine = new CacheMachine();
        feed(machine, kinds.open, encodeName('a'));
        try {
          if (isSnapshot) machine.restore(kind, payload);
          else feed(machine, kind, payload);
        } catch (error) {
          expect((error as { code?: string }).code).toMatch(/^(journal-damaged|unknown-record)$/);
        }
      }),
      { numRuns: 3000 },
    );
    expect(() => new CacheMachine().restore(snapshotKinds.state, Uint8Array.of(2, 1))).toThrow(expect.objectContaining({ code: 'unknown-record' }));
  });

  it('is written and read by any number at once', () => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-index-'));
    try {
      const index = path.join(directory, 'index');
      Journal.create(index, [...new CacheMachine().snapshot()]);
      const users = Array.from({ length: 3 }, () => new CacheMachine()).map((machine) => ({ machine, journal: new Journal(index, machine, { compactAt: 20_000 }) }));
      for (let round = 0; round < 600; round++) {
        const user = users[round % 3];
        const { journal } = user ?? {};
        const { cache } = journal?.append(kinds.open, 10 + (round % 3), 2 * round + 1, encodeName(String(round % 5))) ?? {};
        journal?.append(kinds.put, 10 + (round % 3), 2 * round + 2, encodePut(cache?.id ?? 0, [entry(`https://x/${round % 50}`, { file: String(round) })]));
      }
      for (const { journal } of users) journal.catchUp();
      const [first, ...others] = users.map(({ machine }) => listing(machine));
      for (const other of others) expect(other).toEqual(first);
      expect(users[0]?.journal.generation).toBeGreaterThan(0);
      for (const { journal } of users) journal.close();
    } finally {
      fs.rmSync(directory, { recursive: true });
    }
  });
});

describe('looking for a response', () => {
  it('takes as many steps among 100,000 entries as among 100', () => {
    const steps = (count: number, sought: (list: CacheList) => unknown): number => {
      const list = new CacheList(1, 'a');
      for (let index = 0; index < count; index++) list.add(counted(entry(`https://x/page?${index}`)));
      sought(list);
      reads = 0;
      sought(list);
      return reads;
    };
    const finds = [(list: CacheList) => list.find(query('https://x/page?77')), (list: CacheList) => list.find(query('https://x/other')), (list: CacheList) => list.find(query('https://x/other', { ignoreSearch: true }))];
    for (const find of finds) expect(steps(100_000, find)).toBe(steps(100, find));
  });
});

let reads = 0;

/** Counts how often an entry is looked at. */
function counted(target: CacheEntry): CacheEntry {
  return { ...target, get vary() { return (reads += 1), null; } };
}

describe('the head of a response', () => {
  it('comes back as it was, and anything else is none', () => {
    const head: ResponseHead = { type: 'cors', url: 'https://x/ü', redirected: true, status: 404, statusText: 'Not Ü', headers: [['a', 'b'], ['c', 'ü, d']], hasBody: true };
    const bytes = encodeHead(head);
    expect(readHead(bytes)).toEqual(head);
    for (let at = 0; at < bytes.length; at++) {
      const changed = new Uint8Array(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(readHead(changed)).toBeNull();
      expect(readHead(bytes.subarray(0, at))).toBeNull();
    }
  });
});
