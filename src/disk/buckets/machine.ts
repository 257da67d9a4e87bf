import type { JournalRecord, Machine, SnapshotRecord } from '../journal/machine.ts';
import { isExpired, type BucketEntry } from './policies.ts';
import {
  encodeBucket,
  encodeIds,
  encodeState,
  kinds,
  readBucket,
  readExpire,
  readIds,
  readOne,
  readOpening,
  readTick,
  requireKnownRules,
  snapshotKinds,
  unknownRecord,
  type Opening,
} from './records.ts';

/** Buckets that an origin may have beside its default one: each takes places for files that no account counts. */
export const MOST_BUCKETS = 256;

/** What became of a record. */
export interface RegisterOutcome {
  /** The bucket that it was about, as it is now; null where there is none. */
  readonly entry: BucketEntry | null;
  /** Ids of the buckets that are no more since. */
  readonly removed: readonly string[];
  /** No bucket was made because there are too many. */
  readonly isFull: boolean;
}

/**
 * The state machine behind the register of an origin's buckets: which there are, and what holds for them. Invariants:
 * - an id belongs to one bucket for good; once it was removed it never comes back;
 * - every record but CLEARED bears a moment, and removes what is expired by then before it does anything else;
 * - what was removed is doomed until somebody says that its directory is gone.
 */
export class RegisterMachine implements Machine<RegisterOutcome> {
  readonly #byName = new Map<string, BucketEntry>();
  readonly #byId = new Map<string, BucketEntry>();
  readonly #doomed = new Set<string>();
  /** Grows with every bucket that is removed. */
  removals = 0;
  /** Grows with every record and snapshot. */
  changes = 0;

  get entries(): readonly BucketEntry[] {
    return [...this.#byName.values()];
  }

  get doomed(): readonly string[] {
    return [...this.#doomed];
  }

  named(name: string): BucketEntry | undefined {
    return this.#byName.get(name);
  }

  get(id: string): BucketEntry | undefined {
    return this.#byId.get(id);
  }

  apply({ kind, payload }: JournalRecord): RegisterOutcome {
    this.changes += 1;
    if (kind === kinds.open) return this.#open(readOpening(payload));
    if (kind === kinds.delete) return this.#delete(readOne(payload));
    if (kind === kinds.persist) return this.#persist(readOne(payload));
    if (kind === kinds.expire) return this.#expire(readExpire(payload));
    if (kind === kinds.tick) return outcome(null, this.#pass(readTick(payload)));
    if (kind !== kinds.cleared) throw unknownRecord(kind);
    for (const id of readIds(payload)) this.#doomed.delete(id);
    return outcome(null, []);
  }

  #open({ now, name, policies, id, missing }: Opening): RegisterOutcome {
    const removed = this.#pass(now);
    const known = this.#byName.get(name);
    if (known !== undefined && known.id !== missing) return outcome(this.#adjust(known, policies), removed);
    if (known !== undefined) removed.push(this.#remove(known));
    if (id === '' || this.#byId.has(id) || this.#doomed.has(id)) return outcome(null, removed);
    if (this.#byName.size >= MOST_BUCKETS) return { entry: null, removed, isFull: true };
    return outcome(this.#put({ ...policies, name, id }), removed);
  }

  #adjust(known: BucketEntry, { persisted, expires }: Opening['policies']): BucketEntry {
    return this.#put({ ...known, persisted: known.persisted || persisted, expires: expires ?? known.expires });
  }

  #delete({ now, which }: { readonly now: number; readonly which: string }): RegisterOutcome {
    const removed = this.#pass(now);
    const known = this.#byName.get(which);
    if (known !== undefined) removed.push(this.#remove(known));
    return outcome(null, removed);
  }

  #persist({ now, which }: { readonly now: number; readonly which: string }): RegisterOutcome {
    const removed = this.#pass(now);
    const known = this.#byId.get(which);
    return outcome(known === undefined ? null : this.#put({ ...known, persisted: true }), removed);
  }

  #expire({ now, id, expires }: { readonly now: number; readonly id: string; readonly expires: number }): RegisterOutcome {
    const removed = this.#pass(now);
    const known = this.#byId.get(id);
    return outcome(known === undefined ? null : this.#put({ ...known, expires }), removed);
  }

  /** Removes what is expired by then. */
  #pass(now: number): string[] {
    return this.entries.filter((entry) => isExpired(entry, now)).map((entry) => this.#remove(entry));
  }

  #put(entry: BucketEntry): BucketEntry {
    this.#byName.set(entry.name, entry);
    this.#byId.set(entry.id, entry);
    return entry;
  }

  #remove({ name, id }: BucketEntry): string {
    this.#byName.delete(name);
    this.#byId.delete(id);
    this.#doomed.add(id);
    this.removals += 1;
    return id;
  }

  reset(): void {
    this.changes += 1;
    this.#byName.clear();
    this.#byId.clear();
    this.#doomed.clear();
    this.removals += 1;
  }

  restore(kind: number, payload: Uint8Array): void {
    if (kind === snapshotKinds.state) requireKnownRules(payload);
    else if (kind === snapshotKinds.bucket) this.#put(readBucket(payload));
    else if (kind === snapshotKinds.doomed) for (const id of readIds(payload)) this.#doomed.add(id);
    else throw unknownRecord(kind);
  }

  restored(): void {
    // Nothing is told record by record.
  }

  *snapshot(): Generator<SnapshotRecord> {
    yield { kind: snapshotKinds.state, payload: encodeState() };
    for (const entry of this.#byName.values()) yield { kind: snapshotKinds.bucket, payload: encodeBucket(entry) };
    if (this.#doomed.size > 0) yield { kind: snapshotKinds.doomed, payload: encodeIds(this.doomed) };
  }
}

function outcome(entry: BucketEntry | null, removed: readonly string[]): RegisterOutcome {
  return { entry, removed, isFull: false };
}
