import type { JournalRecord, Machine, SnapshotRecord } from '../journal/machine.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { Claim, CommonClaim, FileClaim, FileLockClaim, OperationClaim, Session, WebClaim } from './claims.ts';
import { PayloadReader } from './codec.ts';
import { FileQueue } from './file-queue.ts';
import type { FileChange, Intent, WebLockMode, WebLockState } from './lock-table.ts';
import type { LockListener } from './lock-listener.ts';
import { RecentChanges } from './recent-changes.ts';
import {
  isAboutAnother,
  kinds,
  known,
  readJoin,
  readLock,
  readOperate,
  readRequest,
  readSince,
  readVerdicts,
  type JoinFields,
  type LockFields,
  type OperateFields,
} from './records.ts';
import { reviveClaim, reviveCrowd } from './revival.ts';
import { addClaim, claimsOfClient, createLock, createOperation, createSession, createWebClaim, removeClaim, removeClaims, removeClaimsOfMany } from './session.ts';
import { readSnapshotRecord, writeSnapshot, type SavedClaim, type SavedCrowd } from './snapshot.ts';
import { WebQueues } from './web-queues.ts';

/** The claim that a record made, or whether the record had an effect. */
export type LockOutcome = Claim | boolean;

/** How many idle sessions the table remembers; one that was forgotten joins again. */
export const IDLE_SESSIONS = 256;

/**
 * The lock table of a bucket as a state machine over the lock journal. Invariants:
 * - its state depends on the records and their order only;
 * - a claim is in exactly one place: its session's `claims`, and the file queue or the web queues;
 * - nothing is granted to a session that has expired, and nothing that it holds is granted to others before it is fenced.
 */
export class LockMachine implements Machine<LockOutcome> {
  readonly #listener: LockListener;
  #sessions = new Map<number, Session>();
  readonly #expired = new Set<Session>();
  #files = this.#createFiles();
  #web = this.#createWeb();
  #order = 0;
  #epoch = 0;
  #changes = new RecentChanges();
  /** Session of the record that is being applied. */
  #by = 0;
  /** How many changes the machine knew of before a snapshot came. */
  #changesBefore = 0;

  constructor(listener: LockListener) {
    this.#listener = listener;
  }

  /** The number in the name of the directory that holds the files. */
  get epoch(): number {
    return this.#epoch;
  }

  get sessions(): ReadonlyMap<number, Session> {
    return this.#sessions;
  }

  /** Sessions that have expired and are not fenced yet. */
  get expired(): ReadonlySet<Session> {
    return this.#expired;
  }

  find(session: number, id: number): Claim | undefined {
    return this.#sessions.get(session)?.claims.get(id);
  }

  // Questions that are asked before a record is written.

  /** The file lock that refuses this one at once, if any; what it would have to wait for first does not count. */
  lockRefusal(fields: LockFields): FileLockClaim | null {
    return this.#files.lockRefusal(fields.locator, fields.lockClass);
  }

  operationRefusal(session: number, fields: OperateFields): FileLockClaim | null {
    return this.#files.operationRefusal(fields.intent, this.find(session, fields.own));
  }

  /** A claim in the way of a web lock that is not there yet; null: it would be granted. */
  webObstacle(name: string, mode: WebLockMode): WebClaim | null {
    return this.#web.obstacle(name, mode);
  }

  /** Whether another session holds or waits for a web lock that conflicts with one of that mode. */
  isWantedBeside(session: number, name: string, mode: WebLockMode): boolean {
    return this.#web.isWantedBeside(session, name, mode);
  }

  /** Who holds and who waits for web locks of a name, in order. */
  webParties(name: string): { held: Iterable<WebClaim>; pending: Iterable<WebClaim> } {
    return this.#web.parties(name);
  }

  /** The sessions of others that stand before what a session waits for. */
  sessionsAhead(id: number): Set<Session> {
    const ahead = new Set<Session>();
    const session = this.#sessions.get(id);
    for (const claim of session?.behindOthers ?? []) {
      for (const other of this.#ahead(claim)) if (other.session !== session) ahead.add(other.session);
    }
    return ahead;
  }

  /** Whether a claim waits for another session. */
  isBehindOthers(claim: Claim): boolean {
    if (claim.session.behindOthers?.has(claim) !== true) return false;
    for (const other of this.#ahead(claim)) if (other.session !== claim.session) return true;
    return false;
  }

  #ahead(claim: Claim): Iterable<Claim> {
    return claim.type === 'web' ? this.#web.ahead(claim) : (claim.waitsFor ?? []);
  }

  /** Whether sessions that are well write to the same file as this lock's holder. */
  isShared({ locator, lockClass }: FileLockClaim): boolean {
    return lockClass === 'readwrite-unsafe' && this.#files.isLockedByPresent(locator);
  }

  /** https://w3c.github.io/web-locks/#snapshot-the-lock-state */
  query(): WebLockState {
    return { held: this.#web.held(), pending: this.#web.requests() };
  }

  // Records.

  apply(record: JournalRecord): LockOutcome {
    this.#by = record.session;
    const from = new PayloadReader(record.payload);
    if (record.kind === kinds.join) return this.#join(record.session, readJoin(from));
    if (isAboutAnother(record.kind)) return this.#applyVerdict(record.kind, from);
    const session = this.#sessions.get(record.session);
    if (session?.standing !== 'present') return known(record.kind);
    return this.#applyOwn(session, record.kind, record.sequence, from);
  }

  #applyOwn(session: Session, kind: number, sequence: number, from: PayloadReader): LockOutcome {
    switch (kind) {
      case kinds.lock:
        return this.#enterFile(createLock(readLock(from), this.#common(session, sequence, from)));
      case kinds.operate:
        return this.#enterFile(createOperation(readOperate(from), this.#common(session, sequence, from)));
      case kinds.request:
        return this.#request(session, sequence, from);
      case kinds.finish:
        return this.#finish(session, from.number(), from.flag());
      case kinds.release:
        return this.#release(session, from.number());
      case kinds.abort:
        return this.#abort(session, from.number());
      case kinds.endClient:
        return this.#endClient(session, from.text());
      case kinds.changed:
        return this.#noteChange(session, { operation: 'modify', kind: 'file', source: from.locator() });
      case kinds.leave:
        return this.#end(session, new Map());
      default:
        return known(kind);
    }
  }

  #applyVerdict(kind: number, from: PayloadReader): boolean {
    if (kind === kinds.expire) return this.#expire(from.number());
    const { session: id, verdicts } = readVerdicts(from);
    const session = this.#sessions.get(id);
    // Who has expired must be fenced even if proven dead later: the epoch has begun with that.
    if (session === undefined || (kind === kinds.fenced) !== (session.standing === 'expired')) return false;
    session.standing = this.#expired.delete(session) ? 'fenced' : 'present';
    return this.#end(session, verdicts);
  }

  #join(id: number, fields: JoinFields): boolean {
    if (this.#sessions.has(id)) return false;
    this.#sessions.set(id, createSession(id, fields, 'present'));
    let excess = this.#sessions.size - IDLE_SESSIONS;
    for (const session of this.#sessions.values()) {
      if (excess-- <= 0) break;
      if (session.claims.size === 0 && session.id !== id) this.#forget(session);
    }
    return true;
  }

  #forget(session: Session): void {
    this.#sessions.delete(session.id);
    this.#listener.left(session.id, this.#by);
  }

  #enterFile(claim: FileClaim): Claim {
    addClaim(claim);
    this.#files.enter(claim);
    if (claim.state === 'refused') removeClaim(claim);
    return claim;
  }

  #request(session: Session, id: number, from: PayloadReader): Claim {
    const { name, mode, clientId, ifAvailable, steal } = readRequest(from);
    const claim = createWebClaim(this.#common(session, id, from), this.#web.queue(name), mode, clientId);
    this.#web.enter(claim, { ifAvailable, steal });
    if (claim.state !== 'refused') addClaim(claim);
    return claim;
  }

  /** DONE or ABORTED: an operation's own end. */
  #finish(session: Session, id: number, changed: boolean): boolean {
    const claim = session.claims.get(id);
    if (claim?.type !== 'operation' || claim.state !== 'held') return false;
    this.#conclude(claim, changed);
    return true;
  }

  #release(session: Session, id: number): boolean {
    const claim = session.claims.get(id);
    if (claim === undefined) return false;
    this.#drop(claim);
    return true;
  }

  #abort(session: Session, id: number): boolean {
    const claim = session.claims.get(id);
    if (claim?.type !== 'web' || claim.state !== 'waiting') return false;
    this.#drop(claim);
    return true;
  }

  #endClient(session: Session, clientId: string): boolean {
    const ofClient = claimsOfClient(session, clientId);
    this.#listener.ended(ofClient);
    this.#web.end(ofClient);
    removeClaims(session, ofClient);
    return ofClient.length > 0;
  }

  /** Ends claims of one session, none of which is granted, or refuses others, because of the end of another. */
  #dropAll(session: Session, claims: readonly Claim[]): void {
    const web: WebClaim[] = [];
    const files: Record<'held' | 'waiting', FileClaim[]> = { held: [], waiting: [] };
    for (const claim of claims) {
      if (claim.type === 'web') web.push(claim);
      else files[claim.state === 'held' ? 'held' : 'waiting'].push(claim);
    }
    // Nobody waits for locks of handles; but they would refuse whatever is decided while they are there.
    for (const claim of files.held) if (claim.type === 'lock') this.#files.end(claim);
    this.#files.cancel(files.waiting);
    for (const claim of files.held) if (claim.type === 'operation') this.#files.end(claim);
    this.#web.end(web);
    removeClaims(session, claims);
  }

  #drop(claim: Claim): void {
    removeClaim(claim);
    if (claim.type === 'web') this.#web.end([claim]);
    else if (claim.state === 'waiting') this.#files.cancel([claim]);
    else this.#files.end(claim);
  }

  #conclude(claim: OperationClaim, changed: boolean): void {
    if (changed) this.#noteChange(claim.session, claim.intent);
    this.#drop(claim);
  }

  /** Ends a session, but for what it still shares; verdicts say what its operations did, nothing if they are silent. */
  #end(session: Session, verdicts: ReadonlyMap<number, boolean>): boolean {
    const isKept = (claim: Claim): boolean => session.standing === 'fenced' && claim.type === 'lock' && claim.shared;
    const ending = [...session.claims.values()].filter((claim) => !isKept(claim));
    for (const claim of ending) {
      if (claim.type === 'operation' && verdicts.get(claim.id) === true) this.#noteChange(session, claim.intent);
    }
    if (this.#by !== session.id) for (const claim of ending) this.#listener.lost(claim, this.#by);
    this.#dropAll(session, ending);
    if (session.claims.size === 0) this.#forget(session);
    return true;
  }

  /** Of a session that has nothing there is nothing to fence. One that was fenced in part expires once more. */
  #expire(id: number): boolean {
    const session = this.#sessions.get(id);
    if (session === undefined || session.standing === 'expired') return false;
    if (session.claims.size === 0) {
      this.#forget(session);
      return true;
    }
    session.standing = 'expired';
    this.#expired.add(session);
    this.#epoch++;
    this.#listener.left(id, this.#by);
    const claims = [...session.claims.values()];
    for (const claim of claims) if (claim.type === 'lock') claim.shared = this.isShared(claim);
    const waiting = claims.filter((claim) => claim.state === 'waiting');
    for (const claim of waiting) this.#listener.lost(claim, this.#by);
    this.#dropAll(session, waiting);
    return true;
  }

  #noteChange(session: Session, intent: Intent): boolean {
    const change: FileChange = { ...intent, session: session.id };
    this.#changes.add(change);
    this.#listener.changed(change);
    return true;
  }

  // Claims.

  /** `from` stands behind all else that the record says. */
  #common(session: Session, id: number, from: PayloadReader): CommonClaim {
    return { session, id, order: this.#order++, since: readSince(from), state: 'waiting' };
  }

  #createFiles(): FileQueue {
    return new FileQueue((claim) => this.#settled(claim));
  }

  #createWeb(): WebQueues {
    const stolen = (claims: readonly WebClaim[]): void => {
      removeClaimsOfMany(claims);
      for (const claim of claims) this.#listener.lost(claim, this.#by);
    };
    return new WebQueues({
      settled: (claim) => this.#settled(claim),
      stolen,
      stirred: (claim) => this.#listener.webStirred(claim),
    });
  }

  #settled(claim: Claim): void {
    if (claim.state === 'refused') removeClaim(claim);
    this.#listener.settled(claim, this.#by);
  }

  // Snapshots.

  reset(): void {
    this.#changesBefore = this.#changes.count;
    this.#sessions = new Map();
    this.#expired.clear();
    this.#files = this.#createFiles();
    this.#web = this.#createWeb();
    this.#order = 0;
    this.#epoch = 0;
    this.#changes = new RecentChanges();
  }

  *snapshot(): Iterable<SnapshotRecord> {
    const claims = [...this.#sessions.values()].flatMap((session) => [...session.claims.values()]);
    const files = claims.filter((claim) => claim.type !== 'web').sort((a, b) => a.order - b.order);
    yield* writeSnapshot({
      epoch: this.#epoch,
      order: this.#order,
      changeCount: this.#changes.count,
      recentChanges: this.#changes.kept,
      sessions: this.#sessions.values(),
      claims: [...files, ...this.#web.held(), ...this.#web.pending()],
    });
  }

  restore(kind: number, payload: Uint8Array): void {
    const record = readSnapshotRecord(kind, payload);
    if (record.type === 'table') {
      this.#epoch = record.epoch;
      this.#order = record.order;
      this.#changes = new RecentChanges(record.changeCount, record.recentChanges);
    } else if (record.type === 'session') {
      const { id, standing } = record;
      const session = createSession(id, record, standing);
      this.#sessions.set(id, session);
      if (standing === 'expired') this.#expired.add(session);
    } else {
      this.#readmit(record);
    }
  }

  #readmit(saved: SavedClaim | SavedCrowd): void {
    const session = this.#sessions.get(saved.session);
    if (session === undefined) throw new HoldfastError('journal-damaged', 'A lock in a snapshot belongs to no session');
    const claims = saved.type === 'claim' ? [reviveClaim(saved, session, this.#web)] : reviveCrowd(saved, session, this.#web);
    for (const claim of claims) {
      addClaim(claim);
      if (claim.type === 'web') this.#web.readmit(claim);
      else this.#files.readmit(claim);
    }
  }

  restored(): void {
    const missed = this.#changes.since(this.#changesBefore);
    if (missed === null) this.#listener.gap();
    else for (const change of missed) this.#listener.changed(change);
    this.#listener.restored();
  }
}
