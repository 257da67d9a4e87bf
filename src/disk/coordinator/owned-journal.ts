import path from 'node:path';
import { onShortage } from '../../runtime/descriptors.ts';
import { randomInteger } from '../../runtime/random.ts';
import { Journal, type JournalOptions } from '../journal/journal.ts';
import { OpenJournals, type Suspendable } from '../journal/open-journals.ts';
import type { BucketPlace } from '../place.ts';
import type { Durability } from '../root/durable.ts';
import type { Ledger } from './ledger.ts';
import { OwnedMachine } from './owned-machine.ts';
import { encodeOwn, encodeTurn, LEAVE, OWN, TURN } from './owned-records.ts';
import type { Alarm, Owner, Turn } from './owned-records.ts';
import type { MapState } from '../map/map-state.ts';

export interface OwnedJournalOptions extends Pick<JournalOptions, 'onCompaction'> {
  readonly durability: Durability;
  /** Bytes of UTF-16 that its map may take. */
  readonly quota: number;
}

/** The directory of the journal in a coordinator's. */
export const TURNS = 'turns';

/** Bytes, of which an owner that is killed leaves so many to the next one to read: some ten milliseconds. */
const COMPACT_AT = 2 ** 20;

/** Bytes from which on it is compacted when its owner leaves it: a hundred thousand coordinators lie on a disk. */
const COMPACT_LEFT_AT = 2 ** 14;

/** Journals of coordinators open at once in this realm: those of a thousand that take turns are not opened for each. */
const openJournals = new OpenJournals<OwnedJournal>(1024);
onShortage(() => openJournals.suspendWhere(() => true));

/** Journals whose disk has refused a sync: what it holds of them is not known until they are written anew. */
const unsynced = new Set<string>();

const isLeave = (kind: number): boolean => kind === LEAVE;

/** What a turn came to. */
export type Settlement =
  | 'settled'
  /** Somebody else owns: nothing of the turn has happened, and nothing of it may leave. */
  | 'deposed';

/** A turn could not be written. */
export class UnsettledError extends Error {
  /** Whether the journal proves that nothing of the turn has happened; else nobody can say. */
  readonly isVoid: boolean;

  constructor(isVoid: boolean, cause: unknown) {
    super('A turn could not be written.', { cause });
    this.isVoid = isVoid;
  }
}

/**
 * The journal of one coordinator, as one realm has it. It keeps these invariants:
 *
 * - what is read before `claim` may be old; after it was true, `settle` and `check` alone say whether this realm owns;
 * - a journal that failed is not used again: its owner closes it, and the next one reads the disk;
 * - one whose descriptor is open is among the open ones, which are bounded, and closed where descriptors are short.
 */
export class OwnedJournal implements Suspendable {
  used = false;
  readonly busy = false;
  readonly #place: BucketPlace;
  readonly #machine = new OwnedMachine();
  readonly #journal: Journal<boolean>;
  readonly #isStrict: boolean;
  #session = 0;
  /** The epoch that was last looked at: what came since, nobody here knows. */
  #seen = 0;
  #sequence = 0;
  #isOpen = false;

  /** Does no I/O. */
  constructor(place: BucketPlace, { durability, quota, ...options }: OwnedJournalOptions) {
    this.#place = place;
    this.#isStrict = durability === 'strict';
    this.#machine.map.quota = quota;
    this.#journal = new Journal(path.join(place.path, TURNS), this.#machine, {
      ...options,
      durability,
      compactAt: COMPACT_AT,
      space: place.space,
      encryption: place.encryption?.journal(TURNS),
      vital: isLeave,
      onReplaced: () => {
        this.#isOpen = false;
        place.lost?.();
      },
    });
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

  /** Of two that say when it is to be looked at, whoever has the higher one knows more: one owner writes in order. */
  get stamp(): number {
    return this.epoch;
  }

  /** Whoever owns by now; null: nobody, or the coordinator has never been. @throws HoldfastError as a journal's `catchUp` */
  look(): Owner | null {
    this.#seen = 0;
    if (!this.#open()) {
      // Nobody makes one where the origin is encrypted and its key is not here.
      this.#place.requirePlain?.();
      return null;
    }
    this.#journal.catchUp();
    this.#seen = this.#machine.epoch;
    return this.#machine.owner;
  }

  #open(): boolean {
    this.used = true;
    if (this.#isOpen) return true;
    if (!this.#journal.open()) return false;
    this.#isOpen = true;
    openJournals.add(this);
    return true;
  }

  /**
   * Tries to become the owner, at the epoch that was last seen; whoever owned before has lost it then, and hears of it
   * by its next record or look.
   *
   * @throws HoldfastError as a journal's `append`
   */
  claim(address: string): boolean {
    if (!this.#open() || this.#isStrict) this.#place.ensure();
    if (unsynced.has(this.#journal.directory)) this.#renew();
    this.#open();
    this.#session = randomInteger();
    this.#sequence = 1;
    return this.#journal.append(OWN, this.#session, 1, encodeOwn(this.#seen, address));
  }

  /** What the disk has in doubt is written anew before anything is built on it. */
  #renew(): void {
    this.#open();
    this.#journal.compact();
    unsynced.delete(this.#journal.directory);
  }

  /**
   * Writes what a turn came to.
   *
   * @throws UnsettledError where the disk refuses it
   */
  settle(turn: Turn): Settlement {
    this.#sequence += 1;
    try {
      // The append would open it as well, and nobody would know that it is open.
      this.#open();
      return this.#journal.append(TURN, this.#session, this.#sequence, encodeTurn(turn)) ? 'settled' : 'deposed';
    } catch (error) {
      throw new UnsettledError(this.#isVoid(), error);
    }
  }

  /** After a failure: what the journal does not hold by now, it never will. */
  #isVoid(): boolean {
    if (this.#isStrict) unsynced.add(this.#journal.directory);
    try {
      this.#open();
      this.#journal.catchUp();
    } catch {
      return false;
    }
    const { owner, lastSequence } = this.#machine;
    return owner?.session !== this.#session || lastSequence < this.#sequence;
  }

  /** Whether this realm owns still: one positioned read. @throws HoldfastError as a journal's `catchUp` */
  check(): boolean {
    this.used = true;
    this.#open();
    return this.#journal.catchUp() && this.#machine.owner?.session === this.#session;
  }

  /** Gives it up, so that the next owner has not to wait for this one. Never throws. */
  leave(): void {
    try {
      if (!this.check()) return;
      this.#sequence += 1;
      this.#journal.append(LEAVE, this.#session, this.#sequence, new Uint8Array(0));
      if (this.#journal.size > COMPACT_LEFT_AT) this.#journal.compact();
    } catch {
      // Whoever wants it finds nobody at the address.
    }
  }

  suspend(): void {
    this.#isOpen = false;
    this.#journal.suspend();
  }

  close(): void {
    openJournals.delete(this);
    this.#isOpen = false;
    this.#journal.close();
  }
}
