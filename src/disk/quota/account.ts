import process from 'node:process';
import { threadIdentity, threadLife } from '../../runtime/identity.ts';
import type { ThreadIdentity, ThreadLife } from '../../runtime/identity.ts';
import { type Timer, clearTimeout, setTimeout } from '../../runtime/timers.ts';
import type { Shared } from '../journal/lockfile.ts';
import type { Space } from '../journal/space.ts';
import type { BucketPlace } from '../place.ts';
import { AccountJournal } from './account-journal.ts';
import { Attendant } from './attendant.ts';
import { CategoryLedger, type Budget, type LedgerKeeper } from './category-ledger.ts';
import { COUNTING, NO_ACCOUNT, OverQuotaError } from './ledger.ts';
import type { Ledger, Mark } from './ledger.ts';
import type { Verdict } from './machine.ts';
import { encodeAdjustment, kinds, sum } from './records.ts';
import type { Amounts, Category } from './records.ts';

/** What a bucket may take. */
export interface Allowance {
  /** Bytes, of everything; undefined: what the disk has left. */
  readonly total: number | undefined;
  /** Bytes of these that are set aside for what has a limit of its own, and is not in this account. */
  readonly aside: number;
}

export interface AccountOptions {
  readonly durability?: 'relaxed' | 'strict';
  readonly shared?: Shared | undefined;
  readonly allowance?: Allowance;
  /** Runs what it is given outside of the caller's asynchronous context; for timers. */
  readonly detach?: <T>(body: () => T) => T;
  /** For tests: who this realm says it is, and whom it sees. */
  readonly identity?: ThreadIdentity;
  readonly probe?: (identity: ThreadIdentity) => ThreadLife;
}

/**
 * Bytes that a session reserves in advance: so often it writes a record, which takes about as long as six writes of
 * 4 KiB, and so many it may keep from others, and leave reserved when it is killed.
 */
export const CHUNK_BYTES = 2 ** 20;

/** How long what a session has used or freed is not told to others, at most, in milliseconds. */
const SETTLE_MS = 250;
/** The same once it was closed. */
const LAST_SETTLE_MS = 10;

/** Of what the disk has left, no more is reserved in advance than this part. */
const ROOM_SHARE = 8;

const UNLIMITED: Allowance = { total: undefined, aside: 0 };

/** Accounts with something that others do not know of yet. */
const unsettled = new Set<Account>();

/** A program that ends in good order leaves nothing to be counted again. */
function settleAll(): void {
  for (const account of [...unsettled]) account.settle();
}

let settlesAtExit = false;

/**
 * The account of one bucket, as one realm sees it: what it takes of the disk, and who may take how much more. Several
 * realms share it by a journal. Invariants:
 * - whatever is used was reserved before, by a record in the journal; so all realms together never exceed the limit;
 * - what is reserved and not used is given back when nothing was used for SETTLE_MS, and at the end of the realm;
 * - what a realm has freed it may use again only once the journal has it;
 * - it is made by the first charge. Without it nothing is freed: whoever makes it counts what is there.
 */
export class Account {
  readonly #journal: AccountJournal;
  readonly #allowance: Allowance;
  readonly #detach: <T>(body: () => T) => T;
  readonly #space: Space | undefined;
  readonly #attendant: Attendant;
  readonly #identity: () => ThreadIdentity;
  /** What may be used without asking. */
  readonly #budget: Budget = { left: 0 };
  readonly #ledgers = new Map<Category, CategoryLedger>();
  readonly #keeper: LedgerKeeper = {
    budget: this.#budget,
    reserve: (bytes) => this.#reserve(bytes),
    mark: () => this.#mark(),
    free: (category, bytes, since) => this.#free(category, bytes, since),
    moved: (since) => this.#moved(since),
    doubt: () => this.#doubt(),
  };
  /** What was freed since the last record. */
  #freed = new Map<Category, number>();
  /** The counting before which nothing that was freed has gone. */
  #freedSince: Mark = 0;
  #stale = false;
  /** Whether the account was replaced since this realm has told it anything. */
  #isNew = false;
  /** Then only what is still being deleted is settled, soon after. */
  #closed = false;
  #stirred = false;
  #timer: Timer | null = null;

  /** Does no I/O. */
  constructor(place: BucketPlace, options: AccountOptions = {}) {
    this.#allowance = options.allowance ?? UNLIMITED;
    this.#detach = options.detach ?? ((body) => body());
    this.#space = place.space;
    const { durability, shared, identity, probe = threadLife } = options;
    this.#identity = identity === undefined ? threadIdentity : () => identity;
    const onReplaced = (): void => this.#startAnew();
    this.#journal = new AccountJournal(place, { ...(durability && { durability }), shared, identity: this.#identity, onReplaced });
    const settle = (): void => this.settle();
    this.#attendant = new Attendant(this.#journal, { bucket: place.path, detach: this.#detach, settle, identity: this.#identity, probe });
  }

  /** What pays for one kind of things. */
  ledger(category: Category): Ledger {
    const ledger = this.#ledgers.get(category) ?? new CategoryLedger(category, this.#keeper);
    this.#ledgers.set(category, ledger);
    return ledger;
  }

  /**
   * Bytes in use by category, by now in this realm, and as of a quarter of a second ago in others. Where there is no
   * account yet, or it has not been counted, that is done first.
   *
   * @throws HoldfastError when the account cannot be read
   */
  async usage(): Promise<Amounts> {
    if (!this.#journal.look()) return this.#attendant.weigh();
    await this.#attendant.counted();
    this.settle();
    this.#attendant.attend();
    this.#arm();
    return this.#journal.machine.usage;
  }

  /** Bytes that may be in use, when `usage` are, those elsewhere included. */
  quota(usage: number): number {
    return this.#allowance.total ?? Math.min(usage + this.#room, Number.MAX_SAFE_INTEGER);
  }

  /**
   * Counts what is there, in many turns of the event loop; the account is exact afterwards, unless something changes
   * meanwhile: then it is too high by no more than that, and somebody counts again.
   *
   * @throws HoldfastError, and the operating system's errors
   */
  async verify(): Promise<Amounts> {
    if (!this.#journal.look()) return this.#attendant.weigh();
    await this.#attendant.recount();
    return this.#journal.machine.usage;
  }

  /** Tells others what was used and freed, and gives back what was reserved. Never throws. */
  settle(): void {
    this.#settle(0);
  }

  /** Settles, and closes what is open. What is freed later opens it again for a moment. */
  close(): void {
    this.#closed = true;
    this.settle();
    void this.#attendant.close().then(() => this.#rest());
    this.#rest();
  }

  #reserve(bytes: number): void {
    this.#journal.ensure();
    this.#attendant.begin();
    const want = Math.min(CHUNK_BYTES, this.#roomBeyond(bytes));
    const { total = Number.MAX_SAFE_INTEGER, aside } = this.#allowance;
    const { granted, requested } = this.#adjust(bytes, want, Math.max(0, total - aside));
    if (granted) {
      this.#stirred = true;
      return;
    }
    this.#attendant.attend();
    const message = `it would take the files of the origin to ${requested} bytes; its quota is ${total}, of which ${aside} are set aside for localStorage`;
    throw new OverQuotaError(message, total, requested + aside);
  }

  /** Bytes that the disk has left. */
  get #room(): number {
    return Math.max(0, Math.floor(this.#space?.left(true) ?? Infinity));
  }

  /**
   * What may be reserved beyond these bytes. Whatever the quota, the disk is not filled to the brim.
   *
   * @throws OverQuotaError
   */
  #roomBeyond(bytes: number): number {
    const room = this.#room;
    if (bytes <= room) return Math.floor((room - bytes) / ROOM_SHARE);
    const inUse = this.#journal.machine.taken;
    const quota = Math.min(this.#allowance.total ?? Infinity, inUse + room);
    throw new OverQuotaError(this.#space?.refusal().message ?? '', quota, Math.max(quota, inUse + bytes));
  }

  /**
   * One record: what was used and freed, and what is wanted. Afterwards `need` bytes are left, unless they were refused.
   *
   * @throws HoldfastError; then all that is known of the outcome is that nothing is left
   */
  #adjust(need: number, want: number, limit: number): Verdict {
    if (!Number.isSafeInteger(need)) return { heard: true, granted: false, requested: need };
    const verdict = this.#append(need, want, limit);
    // Others have taken this realm for dead, and what it had reserved for used.
    const heard = verdict.heard ? verdict : this.#append(need, want, limit);
    this.#budget.left = this.#journal.reservation;
    this.#arm();
    return heard;
  }

  #append(need: number, want: number, limit: number): Verdict {
    const isKnown = this.#journal.reservation > 0;
    const record = {
      identity: isKnown ? null : this.#identity(),
      epoch: Math.max(0, this.#freedSince),
      stale: this.#stale,
      limit,
      need,
      want,
      used: positive(this.#used),
      freed: positive(this.#freed),
    };
    try {
      const verdict = this.#journal.append(kinds.adjust, encodeAdjustment(record));
      if (verdict.heard) this.#forgetFreed();
      if (verdict.heard || !this.#isNew) for (const ledger of this.#ledgers.values()) ledger.used = 0;
      this.#isNew = false;
      return verdict;
    } catch (error) {
      // It may be there all the same: what was used then counts twice, and what was freed must not.
      this.#budget.left = 0;
      this.#forgetFreed();
      this.#stale = true;
      throw error;
    }
  }

  /** Whoever has made the account has counted what was used of the old one, or not: so it is told, and counted again. */
  #startAnew(): void {
    this.#budget.left = 0;
    this.#freed = new Map();
    this.#stale = this.#isNew = true;
  }

  #forgetFreed(): void {
    this.#freed = new Map();
    this.#stale = false;
  }

  /** Gives back all but `keep` bytes. */
  #settle(keep: number): void {
    if (!this.#isUnsettled) return;
    if (this.#isAbandoned || !this.#journal.open()) {
      // Whoever makes one counts what is there; what is used of the old one, and counted by then, remains in doubt.
      this.#freed = new Map();
      return;
    }
    try {
      this.#adjust(keep, 0, Number.MAX_SAFE_INTEGER);
    } catch {
      // Nobody asked; the next one who does is told. What is not settled at the end is for a recount.
    }
  }

  /** Once it was closed its user may remove the root, though something is still being deleted: no news to anybody. */
  get #isAbandoned(): boolean {
    return this.#closed && !this.#journal.isThere;
  }

  get #isUnsettled(): boolean {
    return this.#budget.left > 0 || sum(this.#used) > 0 || this.#freed.size > 0 || this.#stale;
  }

  /** What was used of what was reserved since the last record. */
  get #used(): Amounts {
    return new Map(Array.from(this.#ledgers, ([category, { used }]) => [category, used]));
  }

  /** By the news: whoever goes by what it knew long ago makes others count again for nothing. */
  #mark(): Mark {
    if (this.#isAbandoned) return NO_ACCOUNT;
    try {
      if (!this.#journal.look()) return NO_ACCOUNT;
      this.#hold();
    } catch {
      return NO_ACCOUNT;
    } finally {
      // Whatever came of it, the journal may be open now.
      this.#arm();
    }
    const { machine } = this.#journal;
    return machine.counting === null ? machine.epoch : COUNTING;
  }

  /** Until what it frees is told, a realm has something reserved: so others miss it when it is killed, and count. */
  #hold(): void {
    if (this.#journal.reservation > 0) return;
    try {
      this.#adjust(0, 1, Number.MAX_SAFE_INTEGER);
    } catch {
      // A full disk, on which removals work all the same: the daily count makes up for a kill.
    }
  }

  #free(category: Category, bytes: number, since: Mark): void {
    if (since === NO_ACCOUNT || bytes === 0) return;
    if (since === COUNTING) this.#stale = true;
    else this.#freeSince(category, bytes, since);
    this.#stirred = true;
    this.#arm();
  }

  /** What has gone before a counting began that is known by now may have been missed by it: it is not given back. */
  #freeSince(category: Category, bytes: number, since: Mark): void {
    if (this.#freed.size > 0 && this.#freedSince !== since) {
      this.#freed = new Map();
      this.#stale = true;
    }
    this.#freedSince = since;
    add(this.#freed, category, bytes);
  }

  #moved(since: Mark): void {
    const now = this.#mark();
    if (now !== since || now === COUNTING) this.#doubt();
  }

  #doubt(): void {
    this.#stale = true;
    this.#arm();
  }

  // The clock of a realm that has something to tell.

  #arm(): void {
    if (this.#timer !== null) return;
    unsettled.add(this);
    if (!settlesAtExit) {
      settlesAtExit = true;
      this.#detach(() => process.on('exit', settleAll));
    }
    this.#timer = this.#detach(() => setTimeout(() => this.#round(), this.#closed ? LAST_SETTLE_MS : SETTLE_MS)).unref();
  }

  #round(): void {
    this.#timer = null;
    const isActive = (this.#stirred || sum(this.#used) > 0) && !this.#closed;
    this.#stirred = false;
    this.#settle(isActive ? this.#budget.left : 0);
    if (isActive || this.#isUnsettled) return this.#arm();
    this.#rest();
  }

  #rest(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    unsettled.delete(this);
    if (!this.#attendant.isBusy) this.#journal.suspend();
  }
}

function add(to: Map<Category, number>, category: Category, bytes: number): void {
  to.set(category, (to.get(category) ?? 0) + bytes);
}

function positive(amounts: Amounts): Amounts {
  return new Map([...amounts].filter(([, bytes]) => bytes > 0));
}
