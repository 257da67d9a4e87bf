import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { ThreadIdentity } from '../../runtime/identity.ts';
import { wallClock } from '../../runtime/timers.ts';
import type { EntryKind, Locator } from '../locator.ts';
import { PayloadWriter, pick, type PayloadReader } from './codec.ts';
import type { FileChange, Intent, LockClass, WebLockMode, WebLockRequest } from './lock-table.ts';

/** Kinds of records of the lock journal. A record of a session that has not joined is void. */
export const kinds = {
  join: 1,
  /** The session ends: all that it has is released. */
  leave: 2,
  /** A handle asks for a lock on a file. */
  lock: 3,
  /** An operation on names asks to run: INTENT. */
  operate: 4,
  /** An operation has ended: DONE or ABORTED. */
  finish: 5,
  /** A claim is given back in whatever state it is: a lock is released, a request withdrawn, an operation ABORTED. */
  release: 6,
  /** The content of a file changed outside of any operation. */
  changed: 7,
  /** A web lock is asked for. */
  request: 8,
  /** A request for a web lock is withdrawn, unless it was granted. */
  abort: 9,
  /** Everything of one client of the session is released. */
  endClient: 10,
  /** Another session's thread is proven dead. */
  dead: 11,
  /** Another session's lease has ended: nothing of it is granted any more. */
  expire: 12,
  /** What an expired session could still reach is out of its reach. */
  fenced: 13,
} as const;

/** Whether a record of this kind makes a claim. */
export function isClaim(kind: number): boolean {
  return kind === kinds.lock || kind === kinds.operate || kind === kinds.request;
}

/** Whether a record of this kind tells of another session than its own. */
export function isAboutAnother(kind: number): boolean {
  return kind === kinds.dead || kind === kinds.expire || kind === kinds.fenced;
}

const allKinds: ReadonlySet<number> = new Set(Object.values(kinds));

/** The outcome of a record without effect; of an unknown kind nobody can say that. */
export function known(kind: number): false {
  if (allKinds.has(kind)) return false;
  throw new HoldfastError('unknown-record', `The lock journal holds a record of kind ${kind}, which a newer version wrote`);
}

/** What became of an operation that its session can no longer tell: its id, and whether it changed anything. */
export type Verdict = readonly [id: number, changed: boolean];

const lockClasses: readonly LockClass[] = ['exclusive', 'read-only', 'readwrite-unsafe', 'siloed'];
const operations: readonly Intent['operation'][] = ['create', 'remove', 'move', 'modify', 'empty', 'hold'];
const entryKinds: readonly EntryKind[] = ['file', 'directory'];
export const modes: readonly WebLockMode[] = ['shared', 'exclusive'];

const writer = new PayloadWriter();

// Below, each payload is written by the function before the one that reads it. A claim's ends with when it was asked for:
// in milliseconds since 1970 by the clock of who asks, for people to read; nothing depends on it.

function endClaim(to: PayloadWriter, since: number): Uint8Array {
  return to.number(Math.max(since, 0)).end();
}

/** Of a claim; 0 where it does not say: versions before said nothing, and read no further than what comes before. */
export function readSince(from: PayloadReader): number {
  return from.atEnd ? 0 : from.number();
}

export interface JoinFields {
  readonly identity: ThreadIdentity;
  readonly folder: string;
  /** Which directory the session's bucket is; empty where it did not say. */
  readonly whereabouts: string;
}

export function encodeJoin(fields: JoinFields): Uint8Array {
  return writeJoin(writer.begin(), fields).end();
}

export function writeJoin(to: PayloadWriter, { identity, folder, whereabouts }: JoinFields): PayloadWriter {
  const { boot, namespace, pid, tid, start } = identity;
  return to.text(folder).text(boot).text(namespace).number(pid).number(tid).number(start).text(whereabouts);
}

export function readJoin(from: PayloadReader): JoinFields {
  const folder = from.text();
  const [boot, namespace] = [from.text(), from.text()];
  const identity = { boot, namespace, pid: from.number(), tid: from.number(), start: from.number() };
  // Versions before did not say where, and read no further than this.
  return { folder, identity, whereabouts: from.atEnd ? '' : from.text() };
}

export interface LockFields {
  readonly locator: Locator;
  readonly lockClass: LockClass;
}

export function encodeLock(fields: LockFields, since = wallClock()): Uint8Array {
  return endClaim(writeLock(writer.begin(), fields), since);
}

export function writeLock(to: PayloadWriter, fields: LockFields): PayloadWriter {
  return to.number(lockClasses.indexOf(fields.lockClass)).locator(fields.locator);
}

export function readLock(from: PayloadReader): LockFields {
  const lockClass = pick(lockClasses, from.number());
  return { lockClass, locator: from.locator() };
}

export interface OperateFields {
  readonly intent: Intent;
  readonly own: number;
}

export function encodeOperate(fields: OperateFields, since = wallClock()): Uint8Array {
  return endClaim(writeOperate(writer.begin(), fields), since);
}

export function writeOperate(to: PayloadWriter, fields: OperateFields): PayloadWriter {
  return writeIntent(to.number(fields.own), fields.intent);
}

export function readOperate(from: PayloadReader): OperateFields {
  const own = from.number();
  return { own, intent: readIntent(from) };
}

function writeIntent(to: PayloadWriter, intent: Intent): PayloadWriter {
  to.number(operations.indexOf(intent.operation)).number(entryKinds.indexOf(intent.kind)).locator(intent.source);
  to.flag(intent.target !== undefined);
  return intent.target === undefined ? to : to.locator(intent.target);
}

function readIntent(from: PayloadReader): Intent {
  const operation = pick(operations, from.number());
  const kind = pick(entryKinds, from.number());
  const source = from.locator();
  return from.flag() ? { operation, kind, source, target: from.locator() } : { operation, kind, source };
}

export function writeChange(to: PayloadWriter, change: FileChange): PayloadWriter {
  return writeIntent(to.number(change.session), change);
}

export function readChange(from: PayloadReader): FileChange {
  const session = from.number();
  return { session, ...readIntent(from) };
}

export function encodeFinish(id: number, changed: boolean): Uint8Array {
  return writer.begin().number(id).flag(changed).end();
}

export function encodeId(id: number): Uint8Array {
  return writer.begin().number(id).end();
}

export function encodeLocator(locator: Locator): Uint8Array {
  return writer.begin().locator(locator).end();
}

export function encodeRequest(request: WebLockRequest, since = wallClock()): Uint8Array {
  writer.begin().number(modes.indexOf(request.mode)).text(request.name).text(request.clientId);
  return endClaim(writer.flag(request.ifAvailable).flag(request.steal), since);
}

export function readRequest(from: PayloadReader): WebLockRequest {
  const mode = pick(modes, from.number());
  return { mode, name: from.text(), clientId: from.text(), ifAvailable: from.flag(), steal: from.flag() };
}

export function encodeText(text: string): Uint8Array {
  return writer.begin().text(text).end();
}

export function encodeVerdicts(session: number, verdicts: readonly Verdict[]): Uint8Array {
  writer.begin().number(session).number(verdicts.length);
  for (const [id, changed] of verdicts) writer.number(id).flag(changed);
  return writer.end();
}

export function readVerdicts(from: PayloadReader): { session: number; verdicts: Map<number, boolean> } {
  const session = from.number();
  const verdicts = new Map<number, boolean>();
  for (let left = from.number(); left > 0; left--) verdicts.set(from.number(), from.flag());
  return { session, verdicts };
}
