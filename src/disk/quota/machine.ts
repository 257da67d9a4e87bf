import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { ThreadIdentity } from '../../runtime/identity.ts';
import type { JournalRecord, Machine, SnapshotRecord } from '../journal/machine.ts';
import { categories, kinds, readAdjustment, readBegin, readCount, readDead, sum } from './records.ts';
import type { Adjustment, Amounts, Category, Count } from './records.ts';
import { readReservation, readState, snapshotKinds, writeReservation, writeState } from './snapshot.ts';

/** What a record came to. */
export interface Verdict {
  /** Whether it counted: that of a session whose reservation others have taken for used did not. */
  readonly heard: boolean;
  /** Whether what was needed is reserved. */
  readonly granted: boolean;
  /** Bytes that would have been in use, those that others have reserved included. */
  readonly requested: number;
}

/** Bytes that a session may use before it has to ask again. */
export interface Reservation {
  readonly identity: ThreadIdentity;
  readonly bytes: number;
}

/** A counting that is under way. */
export interface Counting {
  readonly session: number;
  readonly identity: ThreadIdentity;
  /** What was used since it has begun: it may have met that, or not. */
  readonly used: Map<Category, number>;
  /** Whether anything happened meanwhile, so that what it comes to is an upper bound. */
  disturbed: boolean;
}

/** Of what is left, no more is reserved in advance than this part: towards the end nobody keeps much from others. */
const SHARE = 8;

/** How many starts of machines are remembered. */
const KEPT_BOOTS = 8;

const UNHEARD: Verdict = { heard: false, granted: false, requested: 0 };
const HEARD: Verdict = { heard: true, granted: true, requested: 0 };

/**
 * The account of a bucket as a state machine. Invariants:
 * - `taken`, what is used and what is reserved together, is at least what is on the disk: a session uses only what it has reserved,
 *   and says what it has freed after it is gone;
 * - it is never made more than the limit of the record that asks;
 * - what was freed before a counting has begun, or while it goes on, is not given back: the counting may not have met it;
 * - where it may be more than what is on the disk for good, `doubtful` says so, and somebody counts.
 */
export class AccountMachine implements Machine<Verdict> {
  /** Negative where one session has freed what another one has used and not told of: no more than is reserved. */
  #usage = new Map<Category, number>();
  #reservations = new Map<number, Reservation>();
  #reserved = 0;
  #epoch = 0;
  #countedAt = 0;
  #doubtful = false;
  #boots: string[] = [];
  #counting: Counting | null = null;

  /** Bytes in use by category, as far as they were told of. */
  get usage(): Amounts {
    return new Map(Array.from(this.#usage, ([category, bytes]) => [category, Math.max(0, bytes)]));
  }

  /** Bytes that are used or reserved. */
  get taken(): number {
    return sum(this.#usage) + this.#reserved;
  }

  /** Bytes that sessions may use without asking. */
  get reserved(): number {
    return this.#reserved;
  }

  get reservations(): ReadonlyMap<number, Reservation> {
    return this.#reservations;
  }

  /** How many countings have begun. */
  get epoch(): number {
    return this.#epoch;
  }

  /** When the last one ended, in milliseconds since 1970; 0: none has. */
  get countedAt(): number {
    return this.#countedAt;
  }

  get doubtful(): boolean {
    return this.#doubtful;
  }

  /** Starts of machines under which somebody has counted. */
  get boots(): readonly string[] {
    return this.#boots;
  }

  get counting(): Readonly<Counting> | null {
    return this.#counting;
  }

  apply({ kind, session, payload }: JournalRecord): Verdict {
    switch (kind) {
      case kinds.adjust:
        return this.#adjust(session, readAdjustment(payload));
      case kinds.dead:
        return this.#bury(readDead(payload));
      case kinds.begin:
        return this.#begin(session, readBegin(payload));
      case kinds.end:
        return this.#end(session, readCount(payload));
      case kinds.doubt:
        this.#disturb();
        return HEARD;
      default:
        throw unknown(kind);
    }
  }

  #adjust(session: number, adjustment: Adjustment): Verdict {
    const own = this.#reservations.get(session);
    const identity = adjustment.identity ?? own?.identity;
    if (identity === undefined) return UNHEARD;
    const { limit, need, want } = adjustment;
    this.#use(adjustment.used);
    this.#free(adjustment);
    const left = Math.max(0, (own?.bytes ?? 0) - sum(adjustment.used));
    const requested = this.taken - (own?.bytes ?? 0) + need;
    const room = limit - requested;
    const granted = need <= left || room >= 0;
    this.#reserve(session, identity, granted ? need + Math.max(0, Math.min(want, Math.floor(room / SHARE))) : left);
    return { heard: true, granted, requested };
  }

  #use(used: Amounts): void {
    add(this.#usage, used);
    if (this.#counting === null || used.size === 0) return;
    add(this.#counting.used, used);
    this.#counting.disturbed = true;
  }

  #free({ epoch, stale, freed }: Adjustment): void {
    if (stale || (freed.size > 0 && (epoch !== this.#epoch || this.#counting !== null))) return this.#disturb();
    for (const [category, bytes] of freed) this.#freeOne(category, bytes);
  }

  /** Nobody can have used what has come from elsewhere and is gone. */
  #freeOne(category: Category, bytes: number): void {
    const usage = (this.#usage.get(category) ?? 0) - bytes;
    this.#usage.set(category, Math.max(-this.#reserved, usage));
    if (usage < -this.#reserved) this.#disturb();
  }

  #reserve(session: number, identity: ThreadIdentity, bytes: number): void {
    this.#reserved += bytes - (this.#reservations.get(session)?.bytes ?? 0);
    if (bytes === 0) this.#reservations.delete(session);
    else this.#reservations.set(session, { identity, bytes });
    if (this.#counting !== null && bytes > 0) this.#counting.disturbed = true;
  }

  /** What it had reserved may be on the disk: it counts as used until somebody has counted. */
  #bury(session: number): Verdict {
    if (this.#counting?.session === session) this.#counting = null;
    const reservation = this.#reservations.get(session);
    if (reservation === undefined) return UNHEARD;
    this.#reservations.delete(session);
    this.#reserved -= reservation.bytes;
    this.#use(new Map([[categories.files, reservation.bytes]]));
    this.#disturb();
    return HEARD;
  }

  #disturb(): void {
    this.#doubtful = true;
    if (this.#counting !== null) this.#counting.disturbed = true;
  }

  /** It takes the place of one that has not ended. Nobody knows how much of what is reserved it will meet. */
  #begin(session: number, identity: ThreadIdentity): Verdict {
    this.#epoch += 1;
    this.#counting = { session, identity, used: new Map(), disturbed: this.#reserved > 0 };
    return HEARD;
  }

  #end(session: number, { epoch, at, boot, amounts }: Count): Verdict {
    const counting = this.#counting;
    if (counting?.session !== session || epoch !== this.#epoch) return UNHEARD;
    this.#counting = null;
    this.#usage = new Map(amounts);
    add(this.#usage, counting.used);
    this.#doubtful = counting.disturbed;
    this.#countedAt = at;
    if (boot !== '') this.#boots = [...this.#boots.filter((each) => each !== boot), boot].slice(-KEPT_BOOTS);
    return HEARD;
  }

  // Snapshots.

  reset(): void {
    this.#usage = new Map();
    this.#reservations = new Map();
    this.#reserved = 0;
    this.#counting = null;
    this.#boots = [];
  }

  *snapshot(): Iterable<SnapshotRecord> {
    yield {
      kind: snapshotKinds.state,
      payload: writeState({
        usage: this.#usage,
        epoch: this.#epoch,
        countedAt: this.#countedAt,
        doubtful: this.#doubtful,
        boots: this.#boots,
        counting: this.#counting,
      }),
    };
    for (const [session, reservation] of this.#reservations) {
      yield { kind: snapshotKinds.reservation, payload: writeReservation(session, reservation) };
    }
  }

  restore(kind: number, payload: Uint8Array): void {
    if (kind === snapshotKinds.state) {
      const state = readState(payload);
      this.#usage = state.usage;
      this.#epoch = state.epoch;
      this.#countedAt = state.countedAt;
      this.#doubtful = state.doubtful;
      this.#boots = state.boots;
      this.#counting = state.counting;
    } else if (kind === snapshotKinds.reservation) {
      const { session, reservation } = readReservation(payload);
      this.#reservations.set(session, reservation);
      this.#reserved += reservation.bytes;
    } else {
      throw unknown(kind);
    }
  }

  restored(): void {
    // Nobody is told of changes.
  }
}

function add(to: Map<Category, number>, amounts: Amounts): void {
  for (const [category, bytes] of amounts) to.set(category, (to.get(category) ?? 0) + bytes);
}

function unknown(kind: number): HoldfastError {
  return new HoldfastError('unknown-record', `The journal of an account holds a record of kind ${kind}, which a newer version wrote`);
}
