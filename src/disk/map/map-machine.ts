import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { JournalRecord, Machine, SnapshotRecord } from '../journal/machine.ts';
import type { MapListener, SetOutcome } from './map-area.ts';
import { CLEAR, ENTRIES, entryBlocks, LIMIT, RecordReader, RecordWriter, REMOVE, RULES, RULES_VERSION, SET } from './map-records.ts';
import { ACCEPTED, MapState } from './map-state.ts';

/** One for all machines: what it has read last would otherwise stay in memory once for each. */
const reader = new RecordReader();

/**
 * The state machine behind a map's journal. It alone decides what the quota allows, from the records before it, so
 * that any number of processes together never exceed it.
 */
export class MapMachine implements Machine<SetOutcome> {
  readonly state = new MapState();
  /** Hears of every change, in journal order. Only while there is one are changes worked out at all. */
  listener: MapListener | null = null;
  readonly #ownUrl: string;
  /** What the map held before a snapshot began to replace it. */
  #before: ReadonlyMap<string, string> | null = null;

  /** `ownUrl`: what the url of most writers is; every process must give the same, or events tell a wrong url. */
  constructor(ownUrl: string) {
    this.#ownUrl = ownUrl;
  }

  apply(record: JournalRecord): SetOutcome {
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
      default:
        throw unknownRecord(record.kind);
    }
  }

  #set({ payload, session }: JournalRecord): SetOutcome {
    reader.set(payload);
    const { key, value } = reader;
    const oldValue = this.listener === null ? null : (this.state.get(key) ?? null);
    const outcome = this.state.set(key, value);
    if (outcome.accepted && oldValue !== value) this.#changed(key, oldValue, value, session);
    return outcome;
  }

  #remove({ payload, session }: JournalRecord): SetOutcome {
    reader.remove(payload);
    const { key } = reader;
    const oldValue = this.state.get(key) ?? null;
    if (this.state.remove(key)) this.#changed(key, oldValue, null, session);
    return ACCEPTED;
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
  }

  restore(kind: number, payload: Uint8Array): void {
    switch (kind) {
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
    const before = this.#before;
    this.#before = null;
    if (this.listener === null || before === null) return;
    for (const [key, oldValue] of before) {
      if (this.state.get(key) === undefined) this.#differs(key, oldValue, null);
    }
    for (const [key, newValue] of this.state.entries()) {
      const oldValue = before.get(key) ?? null;
      if (oldValue !== newValue) this.#differs(key, oldValue, newValue);
    }
  }

  #differs(key: string, oldValue: string | null, newValue: string | null): void {
    this.listener?.({ key, oldValue, newValue, url: this.#ownUrl, session: 0 });
  }

  *snapshot(): Generator<SnapshotRecord> {
    // Not one that others write with: a snapshot may be asked for amid an append.
    const writer = new RecordWriter();
    yield { kind: RULES, payload: writer.number(RULES_VERSION) };
    yield { kind: LIMIT, payload: writer.number(this.state.quota) };
    for (const payload of entryBlocks(writer, this.state.entries())) yield { kind: ENTRIES, payload };
  }
}

function unknownRecord(kind: number): HoldfastError {
  return new HoldfastError('unknown-record', `A record of kind ${kind} is in the journal of a map; a newer version of Holdfast must have written it.`);
}
