import type { JournalRecord, Machine, SnapshotRecord } from '../journal/machine.ts';
import { entryBlocks, RecordReader, RecordWriter } from '../map/map-records.ts';
import { MapState } from '../map/map-state.ts';
import { performSteps } from '../map/map-steps.ts';
import { Ledger } from './ledger.ts';
import {
  CALLER,
  decodeCaller,
  decodeState,
  decodeTurn,
  encodeCaller,
  encodeState,
  ENTRIES,
  LEAVE,
  OWN,
  STATE,
  TURN,
  unknownRecord,
} from './owned-records.ts';
import type { Alarm, Owner, StateRecord } from './owned-records.ts';
import { Ownership } from './ownership.ts';

const entries = new RecordReader();

/**
 * The state machine behind a coordinator's journal: who owns it, its map, its alarm, and what became of the calls that
 * have changed something. It keeps, with those of {@link Ownership}, this invariant: a TURN has effect as a whole.
 */
export class OwnedMachine implements Machine<boolean> {
  readonly map = new MapState();
  readonly ledger = new Ledger();
  readonly #ownership = new Ownership();
  alarm: Alarm | null = null;

  get epoch(): number {
    return this.#ownership.epoch;
  }

  get owner(): Owner | null {
    return this.#ownership.owner;
  }

  /** The sequence of the owner's last record that had effect. */
  get lastSequence(): number {
    return this.#ownership.lastSequence;
  }

  get weight(): number {
    return this.map.bytes;
  }

  /** Whether the record had effect. */
  apply(record: JournalRecord): boolean {
    const { kind, payload } = record;
    if (kind === OWN) return this.#ownership.own(record);
    if (kind !== TURN && kind !== LEAVE) throw unknownRecord(`A record of kind ${kind}`);
    if (!this.#ownership.admit(record)) return false;
    if (kind === TURN) this.#turn(payload);
    else this.#ownership.owner = null;
    return true;
  }

  #turn(payload: Uint8Array): void {
    const { steps, alarm, got, begun, ended } = decodeTurn(payload);
    performSteps(this.map, steps);
    if (alarm !== undefined) this.alarm = alarm;
    for (const id of got) this.ledger.acknowledge(id);
    for (const id of begun) this.ledger.begin(id);
    for (const each of ended) this.ledger.end(each, each.fate);
  }

  reset(): void {
    const { quota } = this.map;
    this.map.takeEntries();
    this.map.quota = quota;
    this.ledger.clear();
    this.#ownership.reset();
    this.alarm = null;
  }

  restore(kind: number, payload: Uint8Array): void {
    if (kind === STATE) this.#restoreState(decodeState(payload));
    else if (kind === CALLER) this.ledger.restore(decodeCaller(payload));
    else if (kind === ENTRIES) entries.entries(payload, (key, value) => this.map.put(key, value));
    else throw unknownRecord(`A snapshot's record of kind ${kind}`);
  }

  #restoreState({ epoch, owner, alarm }: StateRecord): void {
    this.#ownership.epoch = epoch;
    this.#ownership.owner = owner;
    this.alarm = alarm;
  }

  /** For a journal that nobody else sees yet: nobody owns, and the epoch is a later one than that. */
  disown(after: number): void {
    this.#ownership.owner = null;
    this.#ownership.epoch = Math.max(this.epoch, after) + 1;
  }

  restored(): void {
    // Nobody hears of changes: whoever owns has made them.
  }

  *snapshot(): Generator<SnapshotRecord> {
    yield { kind: STATE, payload: encodeState(this) };
    for (const caller of this.ledger.records()) yield { kind: CALLER, payload: encodeCaller(caller) };
    for (const payload of entryBlocks(new RecordWriter(), this.map.entries())) yield { kind: ENTRIES, payload };
  }
}
