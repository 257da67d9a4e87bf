import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { ThreadIdentity } from '../../runtime/identity.ts';
import type { BucketPlace } from '../place.ts';
import type { Claim } from './claims.ts';
import { Holding } from './holding.ts';
import type { FileChange } from './lock-table.ts';
import { LockMachine, type LockListener, type LockOutcome } from './machine.ts';
import { encodeId, encodeIdentity, kinds } from './records.ts';

/** What a participant needs of a journal. */
export interface LockLog {
  open(): boolean;
  catchUp(): void;
  append(kind: number, session: number, sequence: number, payload: Uint8Array): LockOutcome;
  close(): void;
}

/** Long before sequences of a session could run out, the session is replaced when nothing of it is held. */
const LAST_SEQUENCE = 2 ** 31;

/**
 * This realm's part in a lock journal: its session, and what it holds or waits for. Invariants:
 * - a session joins at the first claim, and again after it was forgotten or declared dead;
 * - news that arrive while the journal is read are kept until that call is over, then delivered in order;
 * - while bodies run that lost what they held, nothing of this realm is granted and no path is resolved.
 */
export class Participant implements LockListener {
  readonly machine = new LockMachine(this);
  readonly log: LockLog;
  /** Hears of changes of files, and of changes that were missed. */
  onChange: ((change: FileChange) => void) | null = null;
  onGap: (() => void) | null = null;
  /** Called with the sessions of others that a record of this one has settled or robbed. */
  onWake: ((sessions: ReadonlySet<number>) => void) | null = null;
  readonly #place: BucketPlace;
  readonly #identity: ThreadIdentity;
  readonly #holdings = new Map<number, Holding>();
  #session = 0;
  #sequence = 0;
  #isOpen = false;
  #closed = false;
  /** Claims that were taken away while their bodies run on. */
  readonly #orphans = new Set<Holding>();
  #news: (() => void)[] = [];
  #delivering = false;
  #toWake = new Set<number>();

  constructor(place: BucketPlace, identity: ThreadIdentity, createLog: (machine: LockMachine) => LockLog) {
    this.#place = place;
    this.#identity = identity;
    this.log = createLog(this.machine);
  }

  /** Random id of this realm's session; 0 before it has joined. */
  get session(): number {
    return this.#session;
  }

  get holdings(): Iterable<Holding> {
    return this.#holdings.values();
  }

  /** Reads the news; false while there is no journal. */
  look(): boolean {
    this.#assertOpen();
    if (!this.#isOpen) this.#isOpen = this.log.open();
    if (!this.#isOpen) return false;
    this.log.catchUp();
    this.deliver();
    return true;
  }

  /** Makes a claim: appends one record, whose payload `encode` gives once the session has joined. */
  claim(kind: number, encode: () => Uint8Array): Holding {
    for (;;) {
      this.join();
      const session = this.#session;
      const id = ++this.#sequence;
      const claim = this.log.append(kind, session, id, encode());
      if (typeof claim !== 'boolean') {
        const holding = this.#hold(claim);
        this.deliver();
        return holding;
      }
      // The record was void: the session had been forgotten or declared dead. What it held hears of it now.
      this.#loseSession(session);
      this.deliver();
    }
  }

  /** Ends a claim by a record of this kind; false when it was not there any more. */
  end(holding: Holding, kind: number, payload: Uint8Array): boolean {
    if (this.#holdings.get(holding.id) !== holding) return false;
    const ended = this.log.append(kind, this.#session, ++this.#sequence, payload) === true;
    if (ended) {
      this.#holdings.delete(holding.id);
      holding.state = 'released';
    }
    this.deliver();
    return ended;
  }

  release(holding: Holding): void {
    if (holding.state === 'held') this.end(holding, kinds.release, encodeId(holding.id));
  }

  /** Appends a record about something else than a claim; false when it had no effect. */
  tell(kind: number, encode: () => Uint8Array): boolean {
    this.join();
    const told = this.log.append(kind, this.#session, ++this.#sequence, encode()) !== false;
    this.deliver();
    return told;
  }

  /** Lets go of the holdings that a record of this session has ended. */
  dropEnded(): void {
    for (const holding of [...this.#holdings.values()]) {
      if (this.machine.find(this.#session, holding.id) !== undefined) continue;
      this.#holdings.delete(holding.id);
      holding.state = 'released';
    }
  }

  /** The body of an operation whose claim was taken away has ended. */
  bodyEnded(holding: Holding): void {
    this.#orphans.delete(holding);
  }

  /** @throws HoldfastError `session-lost` while something runs on that lost what it held. */
  assertNotLost(): void {
    if (this.#orphans.size > 0) throw sessionLost();
  }

  join(): void {
    this.#assertOpen();
    this.assertNotLost();
    if (this.#session !== 0 && (this.#sequence < LAST_SEQUENCE || this.#holdings.size > 0)) return;
    if (!this.#isOpen) this.#openJournal();
    this.#session = randomSession();
    this.#sequence = 1;
    this.log.append(kinds.join, this.#session, this.#sequence, encodeIdentity(this.#identity));
  }

  /** Leaves the table; what waits is rejected. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#session !== 0) this.log.append(kinds.leave, this.#session, ++this.#sequence, new Uint8Array(0));
    const error = new HoldfastError('closed', 'The lock was asked for by a client that has been closed');
    for (const holding of this.#holdings.values()) holding.lose(error);
    this.#holdings.clear();
    this.log.close();
  }

  #openJournal(): void {
    if (!this.log.open()) {
      this.#place.ensure();
      if (!this.log.open()) throw new HoldfastError('disk-failed', `${this.#place.path} has no lock journal`);
    }
    this.#isOpen = true;
  }

  #assertOpen(): void {
    if (this.#closed) throw new HoldfastError('closed', 'The lock table has been closed');
  }

  #hold(claim: Claim): Holding {
    const refused = claim.state === 'refused';
    const holding = new Holding(claim.session.id, claim.id, refused ? 'refused' : claim.state === 'waiting' ? 'waiting' : 'held');
    if (!refused) this.#holdings.set(holding.id, holding);
    return holding;
  }

  // News: what the machine reports while it reads the journal.

  settled(claim: Claim, by: number): void {
    if (claim.session.id === this.#session) this.#news.push(() => this.#settle(claim));
    else if (by === this.#session) this.#toWake.add(claim.session.id);
  }

  lost(claim: Claim, by: number): void {
    if (claim.session.id === this.#session) this.#news.push(() => this.#lose(claim.id));
    else if (by === this.#session) this.#toWake.add(claim.session.id);
  }

  left(session: number): void {
    if (session === this.#session) this.#news.push(() => this.#loseSession(session));
  }

  changed(change: FileChange): void {
    if (this.onChange !== null) this.#news.push(() => this.onChange?.(change));
  }

  gap(): void {
    if (this.onGap !== null) this.#news.push(() => this.onGap?.());
  }

  restored(): void {
    this.#news.push(() => this.#reconcile());
  }

  /** Delivers what was reported, each piece once, also what arrives meanwhile. */
  deliver(): void {
    if (this.#toWake.size > 0) {
      const sessions = this.#toWake;
      this.#toWake = new Set();
      this.onWake?.(sessions);
    }
    if (this.#news.length === 0 || this.#delivering) return;
    this.#delivering = true;
    try {
      for (let next = this.#news.shift(); next !== undefined; next = this.#news.shift()) next();
    } finally {
      this.#delivering = false;
    }
  }

  #settle(claim: Claim): void {
    const holding = this.#holdings.get(claim.id);
    if (holding?.state !== 'waiting') return;
    if (claim.state === 'refused') this.#holdings.delete(claim.id);
    holding.settle(claim.state !== 'refused');
  }

  #lose(id: number): void {
    const holding = this.#holdings.get(id);
    if (holding === undefined) return;
    this.#holdings.delete(id);
    if (holding.running) this.#orphans.add(holding);
    holding.lose(sessionLost());
  }

  #loseSession(session: number): void {
    if (session !== this.#session) return;
    this.#session = 0;
    for (const id of [...this.#holdings.keys()]) this.#lose(id);
  }

  /** After a snapshot: whatever happened in between, each holding is brought to what the table says of it. */
  #reconcile(): void {
    const session = this.machine.sessions.get(this.#session);
    if (session === undefined || session.expired) return this.#loseSession(this.#session);
    for (const holding of [...this.#holdings.values()]) {
      const claim = session.claims.get(holding.id);
      if (claim === undefined) this.#missing(holding);
      else if (claim.state === 'held' && holding.state === 'waiting') holding.settle(true);
    }
  }

  #missing(holding: Holding): void {
    if (holding.state !== 'waiting') return this.#lose(holding.id);
    this.#holdings.delete(holding.id);
    holding.settle(false);
  }
}

function sessionLost(): HoldfastError {
  return new HoldfastError(
    'session-lost',
    'This realm did not answer for so long that others declared it dead: its locks were taken away and what it held is not valid any more',
  );
}

function randomSession(): number {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return (high % 2 ** 21) * 2 ** 32 + low || 1;
}
