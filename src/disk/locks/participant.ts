import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { ThreadIdentity } from '../../runtime/identity.ts';
import { Paced } from '../../runtime/paced.ts';
import { randomInteger, randomUuid } from '../../runtime/random.ts';
import type { Machine } from '../journal/machine.ts';
import type { BucketPlace } from '../place.ts';
import { Backlog } from './backlog.ts';
import { requireWake } from './bell.ts';
import type { Claim, Session, WebClaim } from './claims.ts';
import { Debts } from './debts.ts';
import type { Holding } from './holding.ts';
import { Holdings, journalReplaced, sessionLost } from './holdings.ts';
import type { FileChange } from './lock-table.ts';
import type { LockLog } from './lock-log.ts';
import type { LockListener } from './lock-listener.ts';
import { LockMachine, type LockOutcome } from './machine.ts';
import { NameWatch } from './name-watch.ts';
import { News } from './news.ts';
import type { ParticipantEvents } from './participant-events.ts';
import { encodeId, encodeJoin, isClaim, kinds } from './records.ts';
import { whereaboutsOf } from './whereabouts.ts';

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
  /** The name of this realm's files in `wake/` and `swap/`. */
  readonly folder = randomUuid();
  /** Whether anybody listens to changes. */
  wantsChanges = false;
  /** Who is told of what others do with names of web locks. */
  readonly names = new NameWatch();
  readonly #backlog = new Backlog(new LockMachine(this));
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
  /** Web locks that were taken away while the journal was read. */
  readonly #stolen: WebClaim[] = [];
  /** Claims whose end is still to be told to others, where many end at once. */
  readonly #givingBack = new Paced<Holding>((holding) => this.#giveBack(holding), { items: 64, milliseconds: Infinity });
  /** Whether claims of this session have changed since somebody was told. */
  #isStirred = false;
  /** Whether the journal was replaced, and the session is not lost yet. */
  #isReplaced = false;

  constructor(
    place: BucketPlace,
    identity: ThreadIdentity,
    createLog: (machine: Machine<LockOutcome>) => LockLog,
    events: ParticipantEvents,
  ) {
    this.#place = place;
    this.#identity = identity;
    this.#log = createLog(this.#backlog);
    this.#events = events;
  }

  /** The table as of what was read; never kept by who asks for it. */
  get machine(): LockMachine {
    return this.#backlog.machine;
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
    this.#backlog.finish();
    this.#deliver();
    return this.#open();
  }

  /** As {@link look}, for a part of the news; whether there may be more. */
  lookSome(): boolean {
    const isMore = this.#backlog.inParts(() => this.#open() && this.#log.catchUpSome());
    this.#deliver();
    return isMore;
  }

  #open(): boolean {
    if (this.#isOpen) return true;
    this.#place.requirePlain?.();
    if (!this.#log.open()) return false;
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
    const session = this.#session;
    this.#debts.clear();
    this.#news.add(() => this.#startAfresh(session));
    this.#place.lost?.();
  }

  /** A copy of the old journal may know the session, and would hold for it what it held then. */
  #startAfresh(session: number): void {
    this.#isReplaced = false;
    this.#events.replaced();
    this.#loseSession(session, journalReplaced);
    if (!this.machine.sessions.has(session)) return;
    try {
      this.#place.requirePlain?.();
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
    // What has ended with its client needs no record.
    if (holding.state !== 'waiting' || this.machine.find(holding.session, holding.id) === undefined) return false;
    const withdrawn = this.#append(kinds.abort, encodeId(holding.id)) === true;
    if (withdrawn) this.#holdings.letGo(holding, 'released');
    this.#events.stirred();
    this.#deliver();
    return withdrawn;
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
    if (isLeaving) return this.#holdings.abandon(() => error);
    for (const holding of this.#holdings.takeWaiting()) {
      this.#givingBack.add(holding);
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
    this.#holdings.abandon(sessionLost);
    this.#debts.clear();
    this.#log.close();
  }

  #join(): void {
    if (this.#refusal !== null) throw this.#refusal;
    // The journal may have been removed or replaced.
    if (this.#isOpen) this.#log.open();
    this.#deliver();
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

  #giveBack({ session, id }: Holding): void {
    if (session === this.#session) this.#appendOrOwe(kinds.release, encodeId(id));
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
    if (!this.#isOwn(claim)) this.#noteOther(claim, by);
    else if (claim.type === 'web') this.#holdings.grantSoon(claim);
    else this.#holdings.settle(claim.id, claim.state !== 'refused');
  }

  lost(claim: Claim, by: number): void {
    if (claim.session.id !== this.#session) return this.#noteOther(claim, by);
    if (claim.type !== 'web') return this.#news.add(() => this.#holdings.lose(claim.id));
    if (this.#stolen.length === 0) this.#news.add(() => this.#holdings.loseSoon(this.#stolen.splice(0)));
    this.#stolen.push(claim);
  }

  left(session: number): void {
    if (session === this.#session) this.#news.add(() => this.#loseSession(session));
  }

  ended(claims: readonly Claim[]): void {
    const [first] = claims;
    if (first !== undefined && this.#isOwn(first)) this.#holdings.releaseSoon(claims);
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
    return session.id === this.#session && !this.#isReplaced && (this.#isStirred = true);
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
    if (this.#session === 0) return;
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
