import type { JournalRecord, Machine, SnapshotRecord } from '../journal/machine.ts';
import { entryBlocks, RecordReader, RecordWriter } from '../map/map-records.ts';
import { MapState } from '../map/map-state.ts';
import { performSteps } from '../map/map-steps.ts';
import { Ledger } from './ledger.ts';
import {
  CALLER,
  decodeCaller,
  decodeOwn,
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
import type { Alarm, Owner } from './owned-records.ts';

const entries = new RecordReader();

/**
 * The state machine behind a coordinator's journal: who owns it, its map, its alarm, and what became of the calls that
 * have changed something. It keeps these invariants:
 *
 * - whoever owns has appended the OWN that raised the epoch last; everybody else's TURN and LEAVE are void;
 * - an OWN that does not expect the epoch as it is, is void: of any number that are appended at once, one has effect;
 * - a TURN has effect as a whole.
 */
export class OwnedMachine implements Machine<boolean> {
  readonly map = new MapState();
  readonly ledger = new Ledger();
  /** How often somebody has become the owner. */
  epoch = 0;
  owner: Owner | null = null;
  alarm: Alarm | null = null;
  /** The sequence of the owner's last record that had effect. */
  lastSequence = 0;

  get weight(): number {
    return this.map.bytes;
  }

  /** Whether the record had effect. */
  apply({ kind, session, sequence, payload }: JournalRecord): boolean {
    if (kind === OWN) return this.#own(session, sequence, payload);
    if (kind !== TURN && kind !== LEAVE) throw unknownRecord(`A record of kind ${kind}`);
    if (session !== this.owner?.session) return false;
    this.lastSequence = sequence;
    if (kind === TURN) this.#turn(payload);
    else this.owner = null;
    return true;
  }

  #own(session: number, sequence: number, payload: Uint8Array): boolean {
    const { expected, address } = decodeOwn(payload);
    if (expected !== this.epoch) return false;
    this.epoch += 1;
    this.owner = { session, address };
    this.lastSequence = sequence;
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
    this.epoch = 0;
    this.owner = null;
    this.alarm = null;
    this.lastSequence = 0;
  }

  restore(kind: number, payload: Uint8Array): void {
    if (kind === STATE) Object.assign(this, decodeState(payload));
    else if (kind === CALLER) this.ledger.restore(decodeCaller(payload));
    else if (kind === ENTRIES) entries.entries(payload, (key, value) => this.map.put(key, value));
    else throw unknownRecord(`A snapshot's record of kind ${kind}`);
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
