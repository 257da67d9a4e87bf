import type { SnapshotRecord } from '../journal/machine.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { Claim, Session, SessionStanding, WebClaim } from './claims.ts';
import { PayloadReader, PayloadWriter, pick } from './codec.ts';
import type { FileChange, WebLockInfo } from './lock-table.ts';
import {
  modes,
  readChange,
  readJoin,
  readLock,
  readOperate,
  readSince,
  writeChange,
  writeJoin,
  writeLock,
  writeOperate,
  type JoinFields,
  type LockFields,
  type OperateFields,
} from './records.ts';

/** Kinds of records of a snapshot, in the order in which they come. */
const kinds = { table: 1, session: 2, claim: 3, crowd: 4 } as const;

/** Claims of one crowd, at most: what is read at once stays small. */
const CROWD = 4096;

/** The state of a lock table. */
export interface SavedTable {
  readonly epoch: number;
  readonly order: number;
  readonly changeCount: number;
  readonly recentChanges: FileChange[];
  readonly sessions: Iterable<Session>;
  /** File claims in claim order; web locks in the order of their grants, then requests in queue order. */
  readonly claims: Iterable<Claim>;
}

export interface SavedClaim {
  readonly type: 'claim';
  readonly session: number;
  readonly id: number;
  readonly order: number;
  /** As of {@link Claim}. */
  readonly since: number;
  readonly held: boolean;
  readonly shared: boolean;
  readonly fields:
    | ({ readonly type: 'lock' } & LockFields)
    | ({ readonly type: 'operation' } & OperateFields)
    | ({ readonly type: 'web' } & WebLockInfo);
}

/** Web locks that differ in nothing but their places, which ascend: many of one client that hold or wait for one name. */
export interface SavedCrowd extends WebLockInfo {
  readonly type: 'crowd';
  readonly session: number;
  readonly held: boolean;
  readonly places: readonly Pick<SavedClaim, 'id' | 'order' | 'since'>[];
}

export type SavedRecord =
  | ({ readonly type: 'table' } & Pick<SavedTable, 'epoch' | 'order' | 'changeCount' | 'recentChanges'>)
  | ({ readonly type: 'session'; readonly id: number; readonly standing: SessionStanding } & JoinFields)
  | SavedClaim
  | SavedCrowd;

const standings: readonly SessionStanding[] = ['present', 'expired', 'fenced'];
const types = ['lock', 'operation', 'web'] as const;

const writer = new PayloadWriter();

export function* writeSnapshot(table: SavedTable): Iterable<SnapshotRecord> {
  yield { kind: kinds.table, payload: encodeTable(table) };
  for (const session of table.sessions) {
    writer.begin().number(session.id).number(standings.indexOf(session.standing));
    yield { kind: kinds.session, payload: writeJoin(writer, session).end() };
  }
  for (const each of crowds(table.claims)) {
    yield Array.isArray(each) ? { kind: kinds.crowd, payload: encodeCrowd(each) } : { kind: kinds.claim, payload: encodeClaim(each) };
  }
}

type Crowd = [WebClaim, ...WebClaim[]];

/** The claims in order; those one after the other that a crowd can hold, together. */
function* crowds(claims: Iterable<Claim>): Iterable<Claim | Crowd> {
  let crowd: Crowd | null = null;
  let last: Claim | null = null;
  for (const claim of claims) {
    if (claim.type === 'web' && crowd !== null && crowd.length < CROWD && canFollow(last, claim)) {
      crowd.push(claim);
    } else {
      if (crowd !== null) yield crowd.length > 1 ? crowd : crowd[0];
      crowd = claim.type === 'web' ? [claim] : null;
      if (crowd === null) yield claim;
    }
    last = claim;
  }
  if (crowd !== null) yield crowd.length > 1 ? crowd : crowd[0];
}

function canFollow(last: Claim | null, next: WebClaim): boolean {
  if (last?.type !== 'web') return false;
  const isAlike = next.queue === last.queue && next.session === last.session && next.state === last.state && next.mode === last.mode;
  return isAlike && next.clientId === last.clientId && next.id > last.id && next.order > last.order;
}

export function readSnapshotRecord(kind: number, payload: Uint8Array): SavedRecord {
  const from = new PayloadReader(payload);
  switch (kind) {
    case kinds.table:
      return readTable(from);
    case kinds.session: {
      const id = from.number();
      const standing = pick(standings, from.number());
      return { type: 'session', id, standing, ...readJoin(from) };
    }
    case kinds.claim:
      return readClaim(from);
    case kinds.crowd:
      return readCrowd(from);
    default:
      throw new HoldfastError('unknown-record', `A snapshot of the lock journal holds a record of the unknown kind ${kind}`);
  }
}

function encodeTable(table: SavedTable): Uint8Array {
  writer.begin().number(table.epoch).number(table.order).number(table.changeCount).number(table.recentChanges.length);
  for (const change of table.recentChanges) writeChange(writer, change);
  return writer.end();
}

function readTable(from: PayloadReader): SavedRecord {
  const epoch = from.number();
  const order = from.number();
  const changeCount = from.number();
  const recentChanges: FileChange[] = [];
  for (let left = from.number(); left > 0; left--) recentChanges.push(readChange(from));
  return { type: 'table', epoch, order, changeCount, recentChanges };
}

function encodeClaim(claim: Claim): Uint8Array {
  writer
    .begin()
    .number(types.indexOf(claim.type))
    .number(claim.session.id)
    .number(claim.id)
    .number(claim.order)
    .flag(claim.state === 'held')
    .flag(claim.type === 'lock' && claim.shared);
  return writeFields(claim).number(claim.since).end();
}

function writeFields(claim: Claim): PayloadWriter {
  if (claim.type === 'lock') return writeLock(writer, claim);
  return claim.type === 'operation' ? writeOperate(writer, claim) : writeInfo(claim);
}

function writeInfo({ mode, name, clientId }: WebLockInfo): PayloadWriter {
  return writer.number(modes.indexOf(mode)).text(name).text(clientId);
}

function encodeCrowd(claims: Crowd): Uint8Array {
  const [first] = claims;
  writer.begin().number(first.session.id).flag(first.state === 'held');
  writeInfo(first).number(claims.length);
  let id = 0;
  let order = 0;
  let since = 0;
  for (const claim of claims) {
    writer.number(claim.id - id).number(claim.order - order).difference(claim.since - since);
    ({ id, order, since } = claim);
  }
  return writer.end();
}

function readClaim(from: PayloadReader): SavedRecord {
  const type = pick(types, from.number());
  const session = from.number();
  const id = from.number();
  const order = from.number();
  const held = from.flag();
  const shared = from.flag();
  const fields = readFields(type, from);
  return { type: 'claim', session, id, order, since: readSince(from), held, shared, fields };
}

function readCrowd(from: PayloadReader): SavedRecord {
  const session = from.number();
  const held = from.flag();
  const info = readInfo(from);
  const places: Pick<SavedClaim, 'id' | 'order' | 'since'>[] = [];
  let id = 0;
  let order = 0;
  let since = 0;
  for (let left = from.number(); left > 0; left--) {
    id += from.number();
    order += from.number();
    since += from.difference();
    places.push({ id, order, since });
  }
  return { type: 'crowd', session, held, ...info, places };
}

function readFields(type: (typeof types)[number], from: PayloadReader): SavedClaim['fields'] {
  if (type === 'lock') return { type, ...readLock(from) };
  if (type === 'operation') return { type, ...readOperate(from) };
  return { type, ...readInfo(from) };
}

function readInfo(from: PayloadReader): WebLockInfo {
  const mode = pick(modes, from.number());
  return { mode, name: from.text(), clientId: from.text() };
}
