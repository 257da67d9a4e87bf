import type { Ledger } from '../../disk/coordinator/ledger.ts';
import { OwnedMachine } from '../../disk/coordinator/owned-machine.ts';
import { decodeOwn, encodeOwn, encodeTurn, OWN, TURN } from '../../disk/coordinator/owned-records.ts';
import type { Alarm, Owner, Turn } from '../../disk/coordinator/owned-records.ts';
import type { MapState } from '../../disk/map/map-state.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { decodeEntry, decodeSnapshot, encodeEntry, encodeSnapshot, type LastEntry, type RegionRecord } from './region-records.ts';

/** What is to be asked of the hub's log, or waited for, before one can go on. */
export type Want =
  | { readonly do: 'head' }
  | { readonly do: 'read'; readonly after: number }
  /** Both at once. */
  | { readonly do: 'head and read'; readonly after: number }
  | { readonly do: 'append'; readonly id: string; readonly bytes: Uint8Array }
  | { readonly do: 'snapshot' }
  /** The index of alarms is to say that it is looked at no later than `time`. */
  | { readonly do: 'announce'; readonly time: number; readonly stamp: number }
  /** Whoever lists coordinators is to find it. */
  | { readonly do: 'register' }
  /** Until then, by the same clock. */
  | { readonly do: 'wait'; readonly until: number };

export type Entries = readonly { readonly position: number; readonly bytes: Uint8Array }[];

/** `lost`: nobody knows what came of it. `trimmed`: what was to be read is there no more. */
export type Answer =
  | { readonly is: 'head'; readonly epoch: string; readonly position: number }
  | { readonly is: 'entries'; readonly entries: Entries }
  | { readonly is: 'head and entries'; readonly epoch: string; readonly position: number; readonly entries: Entries }
  | { readonly is: 'snapshot'; readonly snapshot: { readonly position: number; readonly bytes: Uint8Array } | null }
  | { readonly is: 'done' | 'lost' | 'trimmed' };

/** Something that takes its way over the hub: each `yield` is asked there, and goes on with the answer. */
export type Way<Result> = Generator<Want, Result, Answer>;

/** The hub's log is not the one that this was read from, or is not as long any more: it was restored, or made anew. */
export class OtherHistory extends Error {}

/** By how much more than its owner somebody else waits for a lease to end: clocks may differ by a hundredth each. */
const DRIFT = 1.03;

/** Milliseconds, by a clock that never jumps. */
export type Uptime = () => number;

/**
 * One coordinator as one process knows it from its hub's log; does no I/O. Any number of processes in any regions have
 * one each. It keeps these invariants:
 *
 * - (rule 22) whoever owns has the last OWN that had effect: one that expected the epoch as it was, after which the owner
 *   before had written nothing that its writer had not seen. What anybody else appends is void, in every process alike;
 * - (rule 22) a turn shows in `map` at once, for the owner's own code, and counts when its entry has come back: not by
 *   the hub's answer;
 * - (rule 23) one goes its way to the end before the next one begins, so while an entry is in doubt nothing else is known;
 * - (rule 24) `check` gives true only if nobody else owned at some moment since it was called, or by a lease: for that
 *   long after the sending of an entry that counted nobody else takes over;
 * - (rule 19) a turn that sets an alarm is sent after the alarm was announced, and the first OWN after it was registered.
 */
export class RegionCore {
  readonly #machine = new OwnedMachine();
  readonly #now: Uptime;
  readonly #newSession: () => number;
  /** For how long its own reads need not ask; 0: they always do. */
  readonly #lease: number;
  #epoch = '';
  /** Of the last entry that was taken. */
  #position = 0;
  /** The owner's last entry that had effect. */
  #last: LastEntry = { position: 0, sequence: 0, lease: 0 };
  /** When that was seen here at the earliest. */
  #sawAt = 0;
  /** The session of the OWN by which this process owns, or has tried to; 0: it has not. */
  #session = 0;
  #sequence = 0;
  /** Until when own reads need not ask. */
  #leasedUntil = -Infinity;

  /** @param lease - milliseconds; all that may own one coordinator need not have the same */
  constructor(quota: number, lease: number, now: Uptime, newSession: () => number) {
    this.#machine.map.quota = quota;
    this.#lease = lease;
    this.#now = now;
    this.#newSession = newSession;
  }

  get map(): MapState {
    return this.#machine.map;
  }

  get ledger(): Ledger {
    return this.#machine.ledger;
  }

  get alarm(): Alarm | null {
    return this.#machine.alarm;
  }

  get epoch(): number {
    return this.#machine.epoch;
  }

  get owner(): Owner | null {
    return this.#machine.owner;
  }

  get position(): number {
    return this.#position;
  }

  /** Whether this process owns, as far as it has read. */
  get owns(): boolean {
    return this.#session !== 0 && this.#machine.owner?.session === this.#session;
  }

  /** Whether reads need not ask now: nobody else owns, and nobody does for a while. */
  get isLeased(): boolean {
    return this.owns && this.#now() < this.#leasedUntil;
  }

  /** Reads up to where the log was when it was asked. */
  *look(): Way<Owner | null> {
    yield* this.#catchUpWithNews();
    return this.owner;
  }

  *#catchUp(): Way<void> {
    const answer = yield* this.#persistently({ do: 'head' });
    if (answer.is === 'head') yield* this.#readTo(answer, []);
  }

  /** The same where there is something to read, in one round trip for most. */
  *#catchUpWithNews(): Way<void> {
    const answer = yield* this.#persistently({ do: 'head and read', after: this.#position });
    if (answer.is === 'head and entries') yield* this.#readTo(answer, answer.entries);
    else yield* this.#catchUp();
  }

  *#readTo({ epoch, position: end }: { readonly epoch: string; readonly position: number }, entries: Entries): Way<void> {
    if (this.#epoch !== '' && (epoch !== this.#epoch || end < this.#position)) throw new OtherHistory();
    this.#epoch = epoch;
    for (const { position, bytes } of entries) this.#take(position, bytes);
    while (this.#position < end) yield* this.#read();
  }

  *#read(): Way<void> {
    const answer = yield* this.#persistently({ do: 'read', after: this.#position });
    if (answer.is === 'trimmed') return yield* this.#restore();
    if (answer.is === 'entries') for (const { position, bytes } of answer.entries) this.#take(position, bytes);
  }

  /** Asks again what gives the same however often it is asked. */
  *#persistently(want: Want): Way<Answer> {
    for (;;) {
      const answer = yield want;
      if (answer.is !== 'lost') return answer;
    }
  }

  /** What was read here is behind a snapshot: that takes its place. Nobody who owns comes here: it trims what it has read. */
  *#restore(): Way<void> {
    const answer = yield* this.#persistently({ do: 'snapshot' });
    if (answer.is !== 'snapshot' || answer.snapshot === null || answer.snapshot.position <= this.#position) return;
    const { position, bytes } = answer.snapshot;
    this.#machine.reset();
    this.#last = decodeSnapshot(bytes, (kind, payload) => this.#machine.restore(kind, payload));
    this.#sawAt = this.#now();
    this.#position = position;
  }

  #take(position: number, bytes: Uint8Array): void {
    if (position !== this.#position + 1) return;
    this.#position = position;
    const record = decodeEntry(bytes);
    if (record !== null) this.#apply(position, record);
  }

  #apply(position: number, record: RegionRecord): void {
    try {
      if (!this.#hasEffect(record)) return;
      // A turn of one's own shows already.
      if (record.kind === OWN || record.session !== this.#session) this.#machine.apply(record);
    } catch (error) {
      // Somebody with the token has written it: it has no effect, in any process.
      if (error instanceof HoldfastError && error.code === 'journal-damaged') return;
      throw error;
    }
    this.#last = { position, sequence: record.sequence, lease: record.kind === OWN ? record.lease : this.#last.lease };
    this.#sawAt = this.#now();
  }

  #hasEffect({ kind, session, sequence, seen, payload }: RegionRecord): boolean {
    if (kind === OWN) return decodeOwn(payload).expected === this.#machine.epoch && seen >= this.#last.position;
    // One that was sent again may be there twice.
    return session === this.#machine.owner?.session && sequence > this.#last.sequence;
  }

  /**
   * (rule 23) Tries to become the owner, as of what was last looked at; whether it is.
   *
   * @param address - where others can call it
   */
  *claim(address: string): Way<boolean> {
    const end = this.#sawAt + this.#last.lease * DRIFT;
    if (this.#last.lease > 0 && this.#now() < end) yield { do: 'wait', until: end };
    if (this.epoch === 0) yield* this.#persistently({ do: 'register' });
    this.#session = this.#newSession();
    this.#sequence = 0;
    yield* this.#append(OWN, encodeOwn(this.epoch, address));
    return this.owns;
  }

  /** Applies a turn for its own code, at once; the way ends with whether it counts. */
  settle(turn: Turn): Way<boolean> {
    const payload = new Uint8Array(encodeTurn(turn));
    this.#machine.apply({ kind: TURN, session: this.#session, sequence: 0, payload });
    return this.#confirm(payload, turn.alarm ?? null);
  }

  *#confirm(payload: Uint8Array, alarm: Alarm | null): Way<boolean> {
    if (!this.owns) return false;
    if (alarm !== null) yield* this.#persistently({ do: 'announce', time: alarm.time, stamp: this.#position + 1 });
    yield* this.#append(TURN, payload);
    return this.owns;
  }

  /** Appends until the entry has come back. */
  *#append(kind: number, payload: Uint8Array): Way<void> {
    this.#sequence += 1;
    const sequence = this.#sequence;
    const record = { kind, session: this.#session, sequence, seen: this.#position, lease: kind === OWN ? this.#lease : 0, payload };
    const want: Want = { do: 'append', id: `${this.#session.toString(36)}.${sequence}`, bytes: encodeEntry(record) };
    const sentAt = this.#now();
    const { owns } = this;
    for (;;) {
      yield want;
      yield* this.#catchUpWithNews();
      const isBack = this.#last.sequence === sequence && this.#machine.owner?.session === this.#session;
      if (isBack) this.#leasedUntil = sentAt + this.#lease;
      // Once somebody else owns, or what was expected is not so any more, it is void wherever it comes.
      if (isBack || this.owns !== owns || (kind === OWN && !this.#mayHaveEffect(record))) return;
    }
  }

  #mayHaveEffect(record: RegionRecord): boolean {
    return decodeOwn(record.payload).expected === this.epoch && record.seen >= this.#last.position;
  }

  /** Whether this process owns still. */
  *check(): Way<boolean> {
    if (!this.owns) return false;
    if (this.isLeased) return true;
    if (this.#lease > 0) return yield* this.#confirm(NOTHING, null);
    yield* this.#catchUp();
    return this.owns;
  }

  /** As it is now: to be asked while nothing is under way. Null: nobody who owns knows it. */
  snapshot(): { readonly position: number; readonly bytes: Uint8Array } | null {
    return this.owns ? { position: this.#position, bytes: encodeSnapshot(this.#last, this.#machine.snapshot()) } : null;
  }
}

/** A turn in which nothing happens, by which a lease begins anew. */
const NOTHING = new Uint8Array(encodeTurn({ steps: [], alarm: undefined, got: [], begun: [], ended: [] }));
