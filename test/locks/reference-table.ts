import type { JournalRecord } from '../../src/disk/journal/machine.ts';
import { PayloadReader } from '../../src/disk/locks/codec.ts';
import type { FileChange, Intent, LockClass, WebLockMode } from '../../src/disk/locks/lock-table.ts';
import { kinds, readJoin, readLock, readOperate, readRequest, readVerdicts } from '../../src/disk/locks/records.ts';
import { isWithin, sameLocator, type Locator } from '../../src/disk/locator.ts';

type Kind =
  | { type: 'lock'; locator: Locator; lockClass: LockClass; shared: boolean }
  | { type: 'operation'; intent: Intent; own: number }
  | { type: 'web'; name: string; mode: WebLockMode; clientId: string };

export interface ReferenceClaim {
  readonly session: number;
  readonly id: number;
  readonly what: Kind;
  state: 'waiting' | 'held' | 'refused' | 'ended';
}

export interface ReferenceSession {
  readonly folder: string;
  standing: 'present' | 'expired' | 'fenced';
}

/**
 * The lock table as one would write it down from the rules, without any thought of speed: one list of claims in order,
 * and every question answered by looking at all of them.
 */
export class ReferenceTable {
  readonly sessions = new Map<number, ReferenceSession>();
  /** All claims that are waiting or held, in order. */
  claims: ReferenceClaim[] = [];
  readonly changes: FileChange[] = [];
  epoch = 0;
  /** Claims that the last record has settled after a wait, or taken away from their session. */
  touched: ReferenceClaim[] = [];
  last: ReferenceClaim | null = null;

  apply(record: JournalRecord): void {
    this.touched = [];
    this.last = null;
    const from = new PayloadReader(record.payload);
    const { kind, session } = record;
    if (kind === kinds.join) {
      if (!this.sessions.has(session)) this.sessions.set(session, { folder: readJoin(from).folder, standing: 'present' });
    } else if (kind === kinds.dead || kind === kinds.expire || kind === kinds.fenced) {
      this.#judge(kind, from, session);
    } else if (this.sessions.get(session)?.standing === 'present') {
      this.#applyOwn(record, from);
    }
    this.claims = this.claims.filter((claim) => claim.state === 'waiting' || claim.state === 'held');
    for (const [id, { standing }] of this.sessions) {
      if (standing === 'fenced' && !this.claims.some((claim) => claim.session === id)) this.sessions.delete(id);
    }
  }

  #applyOwn({ kind, session, sequence }: JournalRecord, from: PayloadReader): void {
    if (kind === kinds.lock) {
      this.#add(session, sequence, { type: 'lock', ...readLock(from), shared: false });
    } else if (kind === kinds.operate) {
      this.#add(session, sequence, { type: 'operation', ...readOperate(from) });
    } else if (kind === kinds.request) {
      this.#request(session, sequence, from);
    } else if (kind === kinds.changed) {
      this.changes.push({ operation: 'modify', kind: 'file', source: from.locator(), session });
    } else if (kind === kinds.leave) {
      this.#end(this.claims.filter((claim) => claim.session === session), session);
      this.sessions.delete(session);
    } else if (kind === kinds.endClient) {
      const client = from.text();
      const isOfClient = ({ what, session: owner }: ReferenceClaim): boolean =>
        owner === session && what.type === 'web' && what.clientId === client;
      this.#end(this.claims.filter(isOfClient), session);
    } else {
      this.#endOne(kind, this.#find(session, from.number()), kind === kinds.finish && from.flag());
    }
  }

  #find(session: number, id: number): ReferenceClaim | undefined {
    return this.claims.find((claim) => claim.session === session && claim.id === id);
  }

  #endOne(kind: number, claim: ReferenceClaim | undefined, changed: boolean): void {
    if (claim === undefined) return;
    if (kind === kinds.abort && (claim.what.type !== 'web' || claim.state !== 'waiting')) return;
    if (kind === kinds.finish && (claim.what.type !== 'operation' || claim.state !== 'held')) return;
    if (changed && claim.what.type === 'operation') this.changes.push({ ...claim.what.intent, session: claim.session });
    this.#end([claim], claim.session);
  }

  #judge(kind: number, from: PayloadReader, by: number): void {
    if (kind === kinds.expire) return this.#expire(from.number(), by);
    const { session: id, verdicts } = readVerdicts(from);
    const session = this.sessions.get(id);
    if (session === undefined || (kind === kinds.fenced) !== (session.standing === 'expired')) return;
    const own = this.claims.filter((claim) => claim.session === id);
    for (const { id: claimId, what } of own) {
      if (what.type === 'operation' && verdicts.get(claimId) === true) this.changes.push({ ...what.intent, session: id });
    }
    if (kind === kinds.dead) this.sessions.delete(id);
    else session.standing = 'fenced';
    this.#end(own.filter(({ what }) => kind === kinds.dead || what.type !== 'lock' || !what.shared), by);
  }

  #expire(id: number, by: number): void {
    const session = this.sessions.get(id);
    if (session === undefined || session.standing === 'expired') return;
    const own = this.claims.filter((claim) => claim.session === id);
    if (own.length === 0) {
      this.sessions.delete(id);
      return;
    }
    session.standing = 'expired';
    this.epoch++;
    for (const { what } of own) if (what.type === 'lock') what.shared = this.isShared(what);
    this.#end(own.filter((claim) => claim.state === 'waiting'), by);
  }

  isShared(lock: { locator: Locator; lockClass: LockClass }): boolean {
    const shares = ({ what, state, session }: ReferenceClaim): boolean =>
      state === 'held' &&
      what.type === 'lock' &&
      sameLocator(what.locator, lock.locator) &&
      this.sessions.get(session)?.standing === 'present';
    return lock.lockClass === 'readwrite-unsafe' && this.claims.some(shares);
  }

  #add(session: number, id: number, what: Kind): void {
    this.last = { session, id, what, state: 'waiting' };
    this.claims.push(this.last);
    this.#settle();
  }

  #request(session: number, id: number, from: PayloadReader): void {
    const { name, mode, clientId, ifAvailable, steal } = readRequest(from);
    if (steal) {
      for (const claim of this.claims) {
        if (claim.what.type !== 'web' || claim.what.name !== name || claim.state !== 'held') continue;
        claim.state = 'ended';
        this.touched.push(claim);
      }
    }
    this.last = { session, id, what: { type: 'web', name, mode, clientId }, state: 'waiting' };
    if (steal) this.last.state = 'held';
    this.claims.push(this.last);
    this.#settle();
    if (ifAvailable && this.last.state === 'waiting') this.last.state = 'refused';
  }

  /** All at once: what waits among them is never granted. */
  #end(claims: readonly ReferenceClaim[], by: number): void {
    for (const claim of claims) {
      claim.state = 'ended';
      if (claim.session !== by) this.touched.push(claim);
    }
    this.#settle();
  }

  /** Decides, in order, whatever waits for nothing any more, until nothing changes. */
  #settle(): void {
    for (let again = true; again; ) {
      again = false;
      for (const claim of this.claims) {
        if (claim.state !== 'waiting' || this.#mustWait(claim)) continue;
        claim.state = this.#isRefused(claim) ? 'refused' : 'held';
        if (claim !== this.last) this.touched.push(claim);
        again = true;
      }
    }
  }

  #mustWait(claim: ReferenceClaim): boolean {
    const earlier = this.claims.slice(0, this.claims.indexOf(claim));
    const { what } = claim;
    if (what.type !== 'web') return earlier.some((other) => isUnfinished(other) && isInTheWay(other.what, what));
    const ofName = this.claims.filter(({ what: other }) => other.type === 'web' && other.name === what.name);
    if (ofName.some((other) => other.state === 'waiting' && earlier.includes(other))) return true;
    return ofName.some(
      ({ state, what: other }) =>
        state === 'held' && other.type === 'web' && (other.mode === 'exclusive' || what.mode === 'exclusive'),
    );
  }

  #isRefused({ what, session }: ReferenceClaim): boolean {
    if (what.type === 'web') return false;
    const own = what.type === 'operation' ? this.#find(session, what.own) : undefined;
    return this.claims.some((other) => {
      if (other.state !== 'held' || other.what.type !== 'lock') return false;
      if (what.type === 'operation') return refusesOperation(other.what.locator, what.intent, own);
      if (!sameLocator(other.what.locator, what.locator)) return false;
      const isWell = this.sessions.get(other.session)?.standing === 'present';
      return !isWell || what.lockClass === 'exclusive' || other.what.lockClass !== what.lockClass;
    });
  }
}

function isUnfinished({ state }: ReferenceClaim): boolean {
  return state === 'waiting' || state === 'held';
}

function refusesOperation(locked: Locator, intent: Intent, own: ReferenceClaim | undefined): boolean {
  if (intent.operation === 'create' || intent.operation === 'hold') return false;
  if (own?.state === 'held' && own.what.type === 'lock' && sameLocator(own.what.locator, locked)) return false;
  return places(intent).some(({ at, tree }) => sameLocator(at, locked) || (tree && isWithin(locked, at)));
}

/** Whether an earlier claim makes a later one wait. */
function isInTheWay(earlier: Kind, later: Kind): boolean {
  if (earlier.type !== 'operation' || later.type === 'web') return false;
  const theirs = later.type === 'lock' ? [{ at: later.locator, tree: false }] : places(later.intent);
  return places(earlier.intent).some((a) => theirs.some((b) => overlap(a, b)));
}

interface Place {
  readonly at: Locator;
  readonly tree: boolean;
}

function overlap(a: Place, b: Place): boolean {
  if (sameLocator(a.at, b.at)) return true;
  return (a.tree || b.tree) && (isWithin(a.at, b.at) || isWithin(b.at, a.at));
}

function places({ operation, kind, source, target }: Intent): Place[] {
  const tree = operation === 'empty' || (kind === 'directory' && operation !== 'create');
  return [source, ...(target === undefined ? [] : [target])].map((at) => ({ at, tree }));
}
