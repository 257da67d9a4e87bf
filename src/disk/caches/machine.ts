import type { JournalRecord, Machine, SnapshotRecord } from '../journal/machine.ts';
import { CacheList } from './cache-list.ts';
import type { CacheEntry } from './entry.ts';
import {
  damaged,
  encodeCache,
  encodeState,
  entryBlocks,
  kinds,
  readCache,
  readEntries,
  readNameRecord,
  readRemove,
  readState,
  snapshotKinds,
  unknownRecord,
} from './records.ts';

/** What a record came to. */
export interface CacheOutcome {
  /** The cache that was opened, deleted, or changed; null where there is none (any more). */
  readonly cache: CacheList | null;
  /** Entries that are in no cache any more, but those of a cache that was deleted. */
  readonly dropped: readonly CacheEntry[];
}

/** Hears of what happens, amid the work on the journal: it may only note it. */
export interface CacheListener {
  /** A cache was deleted; what it held is in nobody's hands but the listener's. */
  deleted(cache: CacheList, session: number): void;
  /** Responses were replaced or removed. */
  dropped(entries: readonly CacheEntry[], session: number): void;
  /** All lists are new, and which ones are there is not known to be what it was. */
  restored(): void;
}

const NONE: CacheOutcome = { cache: null, dropped: [] };

/**
 * The caches of a bucket as a state machine. Which response a request has is decided here alone, by the order of the
 * records: of two that put the same request, the later one has replaced the earlier one whole.
 * https://w3c.github.io/ServiceWorker/#dfn-relevant-name-to-cache-map
 */
export class CacheMachine implements Machine<CacheOutcome> {
  listener: CacheListener | null = null;
  /** In the order in which they were made. */
  readonly #byName = new Map<string, CacheList>();
  readonly #byId = new Map<number, CacheList>();
  #nextId = 1;

  /** Its caches, in the order in which they were made. */
  get caches(): ReadonlyMap<string, CacheList> {
    return this.#byName;
  }

  /** Undefined: it was deleted. */
  withId(id: number): CacheList | undefined {
    return this.#byId.get(id);
  }

  get weight(): number {
    let weight = 0;
    for (const cache of this.#byName.values()) weight += cache.weight;
    return weight;
  }

  apply({ kind, session, payload }: JournalRecord): CacheOutcome {
    switch (kind) {
      case kinds.open:
        return { ...NONE, cache: this.#open(readNameRecord(payload)) };
      case kinds.delete:
        return { ...NONE, cache: this.#delete(readNameRecord(payload), session) };
      case kinds.put:
        return this.#put(payload, session);
      case kinds.remove:
        return this.#remove(payload, session);
      default:
        throw unknownRecord(kind);
    }
  }

  #open(name: string): CacheList {
    return this.#byName.get(name) ?? this.#make(this.#nextId++, name);
  }

  #make(id: number, name: string): CacheList {
    const cache = new CacheList(id, name);
    this.#byName.set(name, cache);
    this.#byId.set(id, cache);
    return cache;
  }

  #delete(name: string, session: number): CacheList | null {
    const cache = this.#byName.get(name);
    if (cache === undefined) return null;
    this.#byName.delete(name);
    this.#byId.delete(cache.id);
    this.listener?.deleted(cache, session);
    return cache;
  }

  /** All of the record or nothing, in the order of its entries. */
  #put(payload: Uint8Array, session: number): CacheOutcome {
    const { cache: id, entries } = readEntries(payload);
    const cache = this.#byId.get(id);
    if (cache === undefined) return NONE;
    return this.#changed(cache, entries.flatMap((entry) => cache.put(entry)), session);
  }

  #remove(payload: Uint8Array, session: number): CacheOutcome {
    const { cache: id, query } = readRemove(payload);
    const cache = this.#byId.get(id);
    return cache === undefined ? NONE : this.#changed(cache, cache.remove(query), session);
  }

  #changed(cache: CacheList, dropped: readonly CacheEntry[], session: number): CacheOutcome {
    if (dropped.length > 0) this.listener?.dropped(dropped, session);
    return { cache, dropped };
  }

  // Snapshots.

  reset(): void {
    this.#byName.clear();
    this.#byId.clear();
    this.#nextId = 1;
  }

  *snapshot(): Generator<SnapshotRecord> {
    yield { kind: snapshotKinds.state, payload: encodeState(this.#nextId) };
    for (const cache of this.#byName.values()) {
      yield { kind: snapshotKinds.cache, payload: encodeCache(cache.id, cache.name) };
      for (const payload of entryBlocks(cache.id, cache)) yield { kind: snapshotKinds.entries, payload };
    }
  }

  restore(kind: number, payload: Uint8Array): void {
    if (kind === snapshotKinds.state) this.#nextId = readState(payload);
    else if (kind === snapshotKinds.cache) this.#restoreCache(payload);
    else if (kind === snapshotKinds.entries) this.#restoreEntries(payload);
    else throw unknownRecord(kind);
  }

  #restoreCache(payload: Uint8Array): void {
    const { id, name } = readCache(payload);
    if (this.#byName.has(name) || this.#byId.has(id) || id >= this.#nextId) throw damaged('a cache is there twice');
    this.#make(id, name);
  }

  #restoreEntries(payload: Uint8Array): void {
    const { cache: id, entries } = readEntries(payload);
    const cache = this.#byId.get(id);
    if (cache === undefined) throw damaged('entries are of no cache');
    for (const entry of entries) cache.add(entry);
  }

  restored(): void {
    this.listener?.restored();
  }
}
