import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { ThreadIdentity } from '../../runtime/identity.ts';
import { randomInteger, randomUuid } from '../../runtime/random.ts';
import type { BucketPlace } from '../place.ts';
import { requireWake } from './bell.ts';
import type { Claim, Session, WebClaim } from './claims.ts';
import { Debts } from './debts.ts';
import type { Holding } from './holding.ts';
import { Holdings, journalReplaced, sessionLost } from './holdings.ts';
import type { FileChange } from './lock-table.ts';
import type { LockListener } from './lock-listener.ts';
import { LockMachine, type LockOutcome } from './machine.ts';
import { NameWatch } from './name-watch.ts';
import { News } from './news.ts';
import type { ParticipantEvents } from './participant-events.ts';
import { encodeId, encodeJoin, isClaim, kinds } from './records.ts';
import { whereaboutsOf } from './whereabouts.ts';

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
 * - news that may call others are kept until the call is over that reads the journal, then delivered in order;
 * - while bodies run that lost what they held, nothing is granted to this realm and no path is resolved;
 * - the record that ends a claim is appended some time, whatever the disk says now;
 * - when the journal was removed or replaced, the session is lost, whatever the new one says of it.
 */
export class Participant implements LockListener {
  readonly machine: LockMachine = new LockMachine(this);
  /** The name of this realm's files in `wake/` and `swap/`. */
  readonly folder = randomUuid();
  /** Whether anybody listens to changes. */
  wantsChanges = false;
  /** Who is told of what others do with names of web locks. */
  readonly names = new NameWatch();
  readonly #log: LockLog;
  readonly #place: BucketPlace;
  readonly #identity: ThreadIdentity;
  readonly #events: ParticipantEvents;
  readonly #holdings = new Holdings();
  #session = 0;
  #sequence = 0;
  #isOpen = false;
  /** Whether the bucket is as this realm wants it before it changes anything. */
  #isPrepared = false;
  /** Why nothing new is granted. */
  #refusal: HoldfastError | null = null;
  readonly #debts = new Debts();
  readonly #news = new News();
  #toWake = new Set<string>();
  /** Whether claims of this session have changed since somebody was told. */
  #isStirred = false;
  /** Whether the journal was replaced, and the session is not lost yet. */
  #isReplaced = false;

  constructor(
    place: BucketPlace,
    identity: ThreadIdentity,
    createLog: (machine: LockMachine) => LockLog,
    events: ParticipantEvents,
  ) {
    this.#place = place;
    this.#identity = identity;
    this.#log = createLog(this.machine);
    this.#events = events;
  }

  /** Random id of this realm's session; 0 before it has joined. */
  get session(): number {
    return this.#session;
  }

  get isWaiting(): boolean {
    return this.#holdings.isWaiting;
  }

  /** Whether it holds anything, or owes a record. */
  get isBusy(): boolean {
    return this.#holdings.size > 0 || this.#debts.size > 0;
  }

  /** Reads the news; false while there is no journal. */
  look(): boolean {
    if (!this.#open()) return false;
    this.#log.catchUp();
    this.#deliver();
    return this.#open();
  }

  #open(): boolean {
    if (this.#isOpen || !this.#log.open()) return this.#isOpen;
    requireWake(this.#place.path);
    return (this.#isOpen = true);
  }

  /**
   * The journal turned out to be another one than before: what this session holds, holds there for nobody else. To be
   * called while the journal is read.
   */
  replaced(): void {
    this.#isOpen = this.#isPrepared = false;
    this.#isReplaced = true;
    this.#place.lost?.();
    const session = this.#session;
    this.#debts.clear();
    this.#news.add(() => this.#startAfresh(session));
  }

  /** A copy of the old journal may know the session, and would hold for it what it held then. */
  #startAfresh(session: number): void {
    this.#isReplaced = false;
    this.#events.replaced();
    this.#loseSession(session, journalReplaced);
    if (!this.machine.sessions.has(session)) return;
    try {
      this.#log.append(kinds.leave, session, ++this.#sequence, new Uint8Array(0));
    } catch {
      // Others will find that the session is not of this bucket, or that its thread has ended.
    }
  }

  /** Reads the news of a journal that must be there: the bucket is made when it is missing. */
  require(): void {
    if (!this.#isOpen) this.#openJournal();
    this.look();
  }

  /** Makes a claim: appends one record, whose payload `encode` gives once the session has joined. */
  claim(kind: number, encode: () => Uint8Array): Holding {
    for (;;) {
      this.#join();
      const claim = this.#append(kind, encode());
      if (typeof claim !== 'boolean') return this.#hold(claim);
      // The record was void: the session had been forgotten or declared dead. What it held hears of it now.
      this.#loseSession(this.#session);
      this.#deliver();
    }
  }

  /** Appends a record about something else than a claim; false when it had no effect. */
  tell(kind: number, encode: () => Uint8Array): boolean {
    for (;;) {
      this.#join();
      const told = this.#append(kind, encode()) !== false;
      const heard = told || this.machine.sessions.has(this.#session);
      if (!heard) this.#loseSession(this.#session);
      this.#deliver();
      if (heard) return told;
    }
  }

  /** Appends a record that nobody waits for: later, where the disk refuses it now. */
  mention(kind: number, encode: () => Uint8Array): void {
    this.#join();
    if (this.#appendOrOwe(kind, encode())) this.#deliver();
    else this.tell(kind, encode);
  }

  /**
   * Ends a claim by a record of this kind; false when it had been taken away. Where the disk refuses the record now, it
   * is appended later.
   */
  end(holding: Holding, kind: number, encode: () => Uint8Array): boolean {
    if (!this.#holdings.has(holding)) return false;
    const ended = this.#appendOrOwe(kind, encode());
    if (ended && this.#holdings.has(holding)) this.#holdings.letGo(holding, 'released');
    this.#deliver();
    return ended;
  }

  /** Withdraws a claim that waits; false when it was granted before that. */
  withdraw(holding: Holding): boolean {
    if (holding.state !== 'waiting') return false;
    const withdrawn = this.#append(kinds.abort, encodeId(holding.id)) === true;
    if (withdrawn) this.#holdings.letGo(holding, 'released');
    this.#events.stirred();
    this.#deliver();
    return withdrawn;
  }

  /** Has others that hold or wait for web locks of a name look at the journal. */
  ring(name: string): void {
    const { held, pending } = this.machine.webParties(name);
    const folders = new Set<string>();
    for (const { session } of [...held, ...pending]) if (session.id !== this.#session) folders.add(session.folder);
    this.#events.wake(folders);
  }

  /** The sessions of others that stand before what this one waits for. */
  sessionsAhead(): Set<Session> {
    return this.machine.sessionsAhead(this.#session);
  }

  /** The body of an operation has ended, whether or not it still had its claim. */
  bodyEnded(holding: Holding): void {
    this.#holdings.bodyEnded(holding);
  }

  /** @throws HoldfastError `session-lost` while something runs on that lost what it held. */
  assertNotLost(): void {
    if (this.#holdings.hasOrphans) throw sessionLost();
  }

  /** Appends what the disk has refused before. */
  payDebts(): void {
    this.#debts.pay(this.#session, (kind, payload) => this.#append(kind, payload));
    this.#deliver();
  }

  /**
   * Rejects what waits, and refuses whatever is asked for from now on, with `error`. `isLeaving`: the session is closed
   * next, which ends all that it has with one record.
   */
  refuse(error: HoldfastError, isLeaving = false): void {
    this.#refusal ??= error;
    for (const holding of this.#holdings.takeWaiting()) {
      if (!isLeaving) this.#appendOrOwe(kinds.release, encodeId(holding.id));
      holding.lose(() => error);
    }
    this.#events.stirred();
    this.#deliver();
  }

  /** Leaves the table: everything is released. */
  close(): void {
    try {
      if (this.#session !== 0) this.#append(kinds.leave, new Uint8Array(0));
      this.#deliver();
    } catch {
      // Others will find this session dead once its thread has ended.
    }
    this.#session = 0;
    this.#holdings.clear();
    this.#debts.clear();
    this.#log.close();
  }

  #join(): void {
    if (this.#refusal !== null) throw this.#refusal;
    this.#recheck();
    this.assertNotLost();
    if (this.#debts.size > 0) this.payDebts();
    if (this.#session !== 0 && (this.#sequence < LAST_SEQUENCE || this.isBusy)) return;
    if (!this.#isPrepared) this.#prepare();
    if (!this.#isOpen) this.#openJournal();
    this.#session = randomInteger();
    this.#sequence = 0;
    try {
      this.#append(kinds.join, encodeJoin({ identity: this.#identity, folder: this.folder, whereabouts: whereaboutsOf(this.#place.path) }));
    } catch (error) {
      this.#session = 0;
      throw error;
    }
  }

  /** Before the session writes: the journal may have been removed or replaced. */
  #recheck(): void {
    if (!this.#isOpen) return;
    this.#log.open();
    this.#deliver();
  }

  /** Whoever made the bucket may not have waited until the disk had its name, and may have left unfinished work. */
  #prepare(): void {
    this.#place.ensure();
    this.#isPrepared = true;
  }

  #openJournal(): void {
    if (this.#open()) return;
    this.#place.ensure();
    if (!this.#open()) throw new HoldfastError('disk-failed', `${this.#place.path} has no lock journal`);
  }

  #append(kind: number, payload: Uint8Array): LockOutcome {
    const id = ++this.#sequence;
    try {
      return this.#log.append(kind, this.#session, id, payload);
    } catch (error) {
      // It may be in the journal all the same; then a claim must not stay there.
      if (isClaim(kind)) this.#owe(kinds.release, encodeId(id));
      throw error;
    }
  }

  #appendOrOwe(kind: number, payload: Uint8Array): boolean {
    const kept = payload.slice();
    try {
      return this.#append(kind, payload) === true;
    } catch {
      this.#owe(kind, kept);
      return true;
    }
  }

  #owe(kind: number, payload: Uint8Array): void {
    this.#debts.add(this.#session, kind, payload);
    this.#events.stirred();
  }

  #hold(claim: Claim): Holding {
    const holding = this.#holdings.add(claim);
    if (holding.state === 'waiting' && this.machine.isBehindOthers(claim)) this.#events.queued();
    this.#events.stirred();
    this.#deliver();
    return holding;
  }

  // News: what the machine reports while it reads the journal. What calls nobody happens at once.

  settled(claim: Claim, by: number): void {
    if (this.#isOwn(claim)) this.#holdings.settle(claim.id, claim.state !== 'refused');
    else this.#noteOther(claim, by);
  }

  lost(claim: Claim, by: number): void {
    if (claim.session.id === this.#session) this.#news.add(() => this.#holdings.lose(claim.id));
    else this.#noteOther(claim, by);
  }

  left(session: number): void {
    if (session === this.#session) this.#news.add(() => this.#loseSession(session));
  }

  ended(claim: Claim): void {
    if (this.#isOwn(claim)) this.#holdings.release(claim.id);
  }

  webStirred({ name, session }: WebClaim): void {
    if (session.id !== this.#session && this.names.note(name)) this.#news.add(() => this.names.tell());
  }

  changed(change: FileChange): void {
    if (this.wantsChanges) this.#news.add(() => this.#events.changed(change));
  }

  gap(): void {
    this.#news.add(() => this.#events.gap());
  }

  restored(): void {
    this.#news.add(() => this.#reconcile());
    if (this.names.noteAll()) this.#news.add(() => this.names.tell());
  }

  #isOwn({ session }: Claim): boolean {
    if (session.id !== this.#session || this.#isReplaced) return false;
    return (this.#isStirred = true);
  }

  #noteOther({ session }: Claim, by: number): void {
    if (by === this.#session && session.id !== by) this.#toWake.add(session.folder);
  }

  #deliver(): void {
    if (this.#toWake.size > 0) {
      const folders = this.#toWake;
      this.#toWake = new Set();
      this.#events.wake(folders);
    }
    if (!this.#news.deliver() && !this.#isStirred) return;
    this.#isStirred = false;
    this.#events.stirred();
  }

  #loseSession(session: number, error?: () => HoldfastError): void {
    if (session !== this.#session) return;
    this.#session = 0;
    this.#holdings.loseAll(error);
  }

  /** After a snapshot: whatever happened in between, each holding is brought to what the table says of it. */
  #reconcile(): void {
    const session = this.machine.sessions.get(this.#session);
    if (session?.standing !== 'present') return this.#loseSession(this.#session);
    for (const id of this.#holdings.ids) {
      const claim = session.claims.get(id);
      if (claim?.state === 'held') this.#holdings.settle(id, true);
      else if (claim === undefined && this.#holdings.stateOf(id) === 'waiting') this.#holdings.settle(id, false);
      else if (claim === undefined) this.#holdings.lose(id);
    }
  }
}
