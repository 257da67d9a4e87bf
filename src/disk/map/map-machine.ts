import type { JournalRecord, Machine, SnapshotRecord } from '../journal/machine.ts';
import { isReplicaRecord, OLD_REPLICA, REPLICA, REPLICATE } from '../replica/replica-kinds.ts';
import type { Replica } from '../replica/replica.ts';
import { batching } from './batching.ts';
import type { MapListener, SetOutcome } from './map-area.ts';
import { differences } from './map-differences.ts';
import { following } from './following.ts';
import {
  BARRIER,
  BATCH,
  CLEAR,
  COMPARE,
  ENTRIES,
  entryBlocks,
  isOperation,
  LIMIT,
  RecordReader,
  RecordWriter,
  REMOVE,
  RULES,
  RULES_VERSION,
  SET,
  unknownRecord,
} from './map-records.ts';
import type { MapReplica, ReplicaPart } from './map-replica.ts';
import { ACCEPTED, DEFAULT_QUOTA, MapState } from './map-state.ts';

/** One for all machines: what it has read last would otherwise stay in memory once for each. */
const reader = new RecordReader();

/** What an entry takes in a snapshot besides its strings. */
const ENTRY_BYTES = 4;

/**
 * The state machine behind a map's journal. It alone decides what the quota allows, from the records before it, so
 * that any number of processes together never exceed it. From a REPLICATE record on the map follows a hub: then what is
 * decided here is only what shows until the hub's order is known.
 */
export class MapMachine implements Machine<SetOutcome> {
  /** What the map's users see. */
  readonly state = new MapState();
  /** Hears of every change, in journal order. Only while there is one are changes worked out at all. */
  listener: MapListener | null = null;
  readonly #ownUrl: string;
  /** What the map held before a snapshot began to replace it. */
  #before: ReadonlyMap<string, string> | null = null;
  #replica: MapReplica | null = null;
  /** Parts of the REPLICA of a snapshot that is being read. */
  #parts: ReplicaPart[] = [];

  /** `ownUrl`: what the url of most writers is; every process must give the same, or events tell a wrong url. */
  constructor(ownUrl: string) {
    this.#ownUrl = ownUrl;
  }

  /** Null: the map follows no hub. */
  get replica(): Replica | null {
    return this.#replica?.replica ?? null;
  }

  get weight(): number {
    return this.state.bytes / 2 + ENTRY_BYTES * this.state.size;
  }

  /** Whether a record of a local write may wait for the hub; always so where there is none. */
  admit(payload: Uint8Array): SetOutcome {
    return this.#replica === null ? ACCEPTED : this.#replica.admit(payload);
  }

  /** The same, with what nobody has acknowledged: what a writer asks before it writes. */
  welcome(payload: Uint8Array): SetOutcome {
    return this.#replica === null ? ACCEPTED : this.#replica.welcome(payload);
  }

  apply(record: JournalRecord): SetOutcome {
    return this.#replica === null ? this.#perform(record) : this.#performFor(this.#replica, record);
  }

  #performFor(replica: MapReplica, record: JournalRecord): SetOutcome {
    if (isReplicaRecord(record.kind)) return this.#follow(replica, record);
    if (!isOperation(record.kind)) return this.#perform(record);
    const admitted = replica.admit(record.payload);
    if (!admitted.accepted) return admitted;
    const outcome = this.#perform(record);
    // What was performed last is known: the most frequent kind is not read twice.
    if (outcome.accepted) replica.local(record, record.kind === SET ? reader : null);
    return outcome;
  }

  #follow(replica: MapReplica, record: JournalRecord): SetOutcome {
    const changes = replica.apply(record);
    if (this.listener !== null) for (const change of changes) this.listener(change);
    return ACCEPTED;
  }

  #perform(record: JournalRecord): SetOutcome {
    switch (record.kind) {
      case SET:
        return this.#set(record);
      case REMOVE:
        return this.#remove(record);
      case CLEAR:
        return this.#clear(record);
      case LIMIT:
        this.state.quota = reader.number(record.payload);
        return ACCEPTED;
      case RULES:
        reader.rules(record.payload);
        return ACCEPTED;
      case COMPARE:
        return this.#compare(record);
      case BARRIER:
        reader.barrier(record.payload);
        return ACCEPTED;
      case BATCH:
        return batching.code.performBatch(record, this.state, this.#ownUrl, this.listener);
      case REPLICATE:
        this.#replica = this.#following();
        return this.#follow(this.#replica, record);
      default:
        // Without a replica the other records about it are void.
        if (isReplicaRecord(record.kind)) return ACCEPTED;
        throw unknownRecord(record.kind);
    }
  }

  #set({ payload, session }: JournalRecord): SetOutcome {
    reader.set(payload);
    return this.#put(reader.key, reader.value, session);
  }

  #put(key: string, value: string, session: number): SetOutcome {
    const oldValue = this.listener === null ? null : (this.state.get(key) ?? null);
    const outcome = this.state.set(key, value);
    if (outcome.accepted && oldValue !== value) this.#changed(key, oldValue, value, session);
    return outcome;
  }

  #remove({ payload, session }: JournalRecord): SetOutcome {
    reader.remove(payload);
    return this.#drop(reader.key, session);
  }

  #drop(key: string, session: number): SetOutcome {
    const oldValue = this.state.get(key) ?? null;
    if (this.state.remove(key)) this.#changed(key, oldValue, null, session);
    return ACCEPTED;
  }

  /** Another value than the expected one is no rejection: where a hub decides, it may yet find the expected one. */
  #compare({ payload, session }: JournalRecord): SetOutcome {
    const { key, expected, value } = reader.compare(payload);
    if ((this.state.get(key) ?? null) !== expected) return ACCEPTED;
    return value === null ? this.#drop(key, session) : this.#put(key, value, session);
  }

  #clear({ payload, session }: JournalRecord): SetOutcome {
    reader.clear(payload);
    if (this.state.clear()) this.#changed(null, null, null, session);
    return ACCEPTED;
  }

  #changed(key: string | null, oldValue: string | null, newValue: string | null, session: number): void {
    this.listener?.({ key, oldValue, newValue, url: reader.url(this.#ownUrl), session });
  }

  reset(): void {
    this.#before = this.state.takeEntries();
    this.state.quota = DEFAULT_QUOTA;
    this.#replica = null;
    this.#parts = [];
  }

  restore(kind: number, payload: Uint8Array): void {
    switch (kind) {
      case REPLICA:
      case OLD_REPLICA:
        this.#parts.push({ kind, payload: new Uint8Array(payload) });
        return;
      case ENTRIES:
        reader.entries(payload, (key, value) => this.state.put(key, value));
        return;
      case LIMIT:
        this.state.quota = reader.number(payload);
        return;
      case RULES:
        reader.rules(payload);
        return;
      default:
        throw unknownRecord(kind);
    }
  }

  /** The records in between are gone, and with them who wrote: one change for each key that differs. */
  restored(): void {
    if (this.#parts.length > 0) this.#restoreReplica();
    const before = this.#before;
    this.#before = null;
    if (this.listener !== null && before !== null) differences(before, this.state, this.#ownUrl, this.listener);
  }

  #restoreReplica(): void {
    this.#replica = this.#following();
    this.#replica.restore(this.#parts);
    this.#parts = [];
  }

  #following(): MapReplica {
    return new following.code.MapReplica(this.state, this.#ownUrl);
  }

  *snapshot(): Generator<SnapshotRecord> {
    // Not one that others write with: a snapshot may be asked for amid an append.
    const writer = new RecordWriter();
    yield { kind: RULES, payload: writer.number(RULES_VERSION) };
    if (this.#replica === null) yield* this.#ownSnapshot(writer);
    else for (const payload of this.#replica.parts()) yield { kind: REPLICA, payload };
  }

  *#ownSnapshot(writer: RecordWriter): Generator<SnapshotRecord> {
    yield { kind: LIMIT, payload: writer.number(this.state.quota) };
    for (const payload of entryBlocks(writer, this.state.entries())) yield { kind: ENTRIES, payload };
  }
}
