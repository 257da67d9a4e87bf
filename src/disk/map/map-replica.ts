import type { JournalRecord } from '../journal/machine.ts';
import { applyRecord, partsOf, ReplicaParts } from '../replica/apply-record.ts';
import type { Operation } from '../replica/operation.ts';
import { Replica } from '../replica/replica.ts';
import type { Applied } from '../replica/turn.ts';
import type { MapChange, SetOutcome } from './map-area.ts';
import { differences } from './map-differences.ts';
import { MapModel } from './map-model.ts';
import { decodeOperation, perform, place, stepsOf } from './map-operation.ts';
import type { KeyChange, MapOperation } from './map-operation.ts';
import { BATCH } from './map-records.ts';
import { ACCEPTED, MapState } from './map-state.ts';
import { PendingOverlay } from './pending-overlay.ts';

/** One of the records of a snapshot that hold a replica's state. */
export interface ReplicaPart {
  readonly kind: number;
  readonly payload: Uint8Array;
}

/** What a SET record asks, for whoever has read it already. */
type Read = Pick<KeyChange, 'key'> & { readonly value: string };

/** Who made a change. */
type Author = Pick<MapChange, 'url' | 'session'>;

/**
 * Makes a map follow a hub. What its users see, the view, is what the pending operations make of the base. It keeps
 * these invariants, between any two records:
 *
 * - each value of the view, and its quota, is what performing all pending operations on the base gives;
 * - the order of its keys is that too, or `rightOrder` will give it;
 * - `#overlay` knows of the operations that are pending, and of no other.
 */
export class MapReplica {
  readonly replica: Replica;
  readonly #model = new MapModel();
  readonly #view: MapState;
  readonly #ownUrl: string;
  #overlay = new PendingOverlay();
  /** What the record under way has changed of the view, in order. */
  #changes: MapChange[] = [];
  #misordered = false;

  /** `ownUrl` is the map's own url. */
  constructor(view: MapState, ownUrl: string) {
    this.replica = new Replica(this.#model);
    this.#view = view;
    this.#ownUrl = ownUrl;
  }

  /** Goes on from the parts of a snapshot. */
  restore(all: readonly ReplicaPart[]): void {
    const parts = new ReplicaParts();
    for (const { kind, payload } of all) parts.add(kind, payload);
    parts.restore(this.replica);
    this.#countPending();
    this.#view.adopt(this.#replay());
  }

  /** (13) Whether one more local write may wait for the hub. */
  admit(payload: Uint8Array): SetOutcome {
    const { replica } = this;
    if (replica.hasRoomFor(payload)) return ACCEPTED;
    return { accepted: false, quota: replica.cap, requested: replica.pending.bytes + payload.length, unsent: true };
  }

  /** (13) Whether one more local write should be made. */
  welcome(payload: Uint8Array): SetOutcome {
    const { replica } = this;
    if (replica.welcomes(payload)) return ACCEPTED;
    return { accepted: false, quota: replica.cap, requested: replica.occupied + payload.length, unsent: true };
  }

  /** Payloads of REPLICA records: all of it, for a snapshot. */
  parts(): Iterable<Uint8Array> {
    return partsOf(this.replica);
  }

  /** (1) A local write, which asks for what the view has already, is pending from now on. `set`: what it asks, if it is a SET. */
  local({ session, sequence, kind, payload }: JournalRecord, set: Read | null): void {
    const operation = { session, sequence, kind, payload: new Uint8Array(payload) };
    this.replica.local(operation);
    this.#overlay.push(set === null ? this.#decode(operation) : this.#change(set), operation);
  }

  #change({ key, value }: Read): MapOperation {
    return { asks: 'change', key, value, expected: undefined, url: this.#ownUrl };
  }

  /** Applies a record of replica-records.ts, and returns what it changed of the view. */
  apply(record: JournalRecord): readonly MapChange[] {
    this.#changes = [];
    this.#misordered = this.#view.rightOrder !== null;
    // Amid an entry the right order is that of neither its beginning nor its end.
    this.#view.rightOrder = null;
    this.#apply(record);
    if (this.#misordered) this.#view.rightOrder = () => this.#replay();
    return this.#changes;
  }

  #apply(record: JournalRecord): void {
    // What becomes pending is what the map holds.
    if (!this.replica.active) this.#model.base = copyOf(this.#view);
    const effect = applyRecord(this.replica, record);
    if (effect.did === 'replicate') this.#countPending();
    else if (effect.did === 'enter') this.#enter(effect.applied);
    else if (effect.did === 'rebase') this.#rebuild();
  }

  #countPending(): void {
    this.#overlay = new PendingOverlay();
    for (const { operation } of this.replica.pending) this.#overlay.push(this.#decode(operation), operation);
  }

  #decode(operation: Operation): MapOperation {
    return decodeOperation(operation, this.#ownUrl);
  }

  /** The view, made from nothing but the base and what is pending. */
  #replay(): MapState {
    const view = copyOf(this.#model.base);
    for (const { operation } of this.replica.pending) perform(this.#decode(operation), view);
    return view;
  }

  /** (6, 7) */
  #enter(all: readonly Applied[]): void {
    if (all.some(({ early, refusal, own, operation }) => early || (own && refusal !== null && operation.kind === BATCH))) return this.#rebuild();
    const refused = new Set<string>();
    for (const applied of all) {
      if (applied.own) this.#echoed(applied, refused);
      else if (applied.refusal === null) this.#follow(applied.operation);
    }
    for (const key of refused) this.#rollBack(key);
    this.#view.quota = this.#overlay.quota(this.#model.base.quota);
  }

  /** An own operation that was accepted is now in the base as it was in the view. */
  #echoed({ operation, refusal }: Applied, refused: Set<string>): void {
    const asked = this.#decode(operation);
    this.#overlay.shift(asked, operation);
    if (refusal !== null && asked.asks === 'change') refused.add(asked.key);
  }

  #rollBack(key: string): void {
    this.#show(key, this.#model.base.get(key) ?? null, { url: this.#ownUrl, session: 0 });
    this.#misordered = true;
  }

  /** Somebody else's operation, which the base has taken. */
  #follow(operation: Operation): void {
    const asked = this.#decode(operation);
    const { session } = operation;
    if (asked.asks === 'batch') for (const step of stepsOf(asked)) this.#followOne(step, session);
    else this.#followOne(asked, session);
  }

  #followOne(asked: MapOperation, session: number): void {
    if (asked.asks === 'change') this.#followChange(asked.key, asked.value, { url: asked.url, session });
    else if (asked.asks === 'clear') this.#followClear({ url: asked.url, session });
  }

  #followChange(key: string, value: string | null, author: Author): void {
    const overlay = this.#overlay;
    // The base has new keys before those that are pending, and a pending change gives a key that is gone another place.
    const appended = value !== null && this.#view.get(key) === undefined;
    if (overlay.length > 0 && !overlay.hidesBase && (appended || overlay.covers(key))) this.#misordered = true;
    this.#show(key, value, author);
  }

  /** (8) */
  #followClear(author: Author): void {
    if (this.#overlay.hidesBase) return;
    if (this.#overlay.length === 0) {
      if (this.#view.clear()) this.#changes.push({ key: null, oldValue: null, newValue: null, ...author });
      return;
    }
    for (const key of [...this.#view.keys(), ...this.#overlay.keys()]) this.#show(key, null, author);
    this.#misordered = true;
  }

  /** Shows what a key's value is now that the base has `confirmed`. */
  #show(key: string, confirmed: string | null, author: Author): void {
    const oldValue = this.#view.get(key) ?? null;
    const newValue = this.#overlay.value(key, confirmed);
    if (oldValue === newValue) return;
    place(this.#view, key, newValue);
    this.#changes.push({ key, oldValue, newValue, ...author });
  }

  /** Where something else happened to the pending operations than that the first ones ended, or one more came. */
  #rebuild(): void {
    this.#countPending();
    const before = this.#view.takeEntries();
    this.#view.adopt(this.#replay());
    this.#misordered = false;
    differences(before, this.#view, this.#ownUrl, (change) => this.#changes.push(change));
  }
}

function copyOf(state: MapState): MapState {
  const copy = new MapState();
  for (const [key, value] of state.entries()) copy.put(key, value);
  copy.quota = state.quota;
  return copy;
}

/** What a map shows of itself that follows no hub. */
export function inactiveReplica(): Replica {
  return new Replica(new MapModel());
}
