import {
  coversTree,
  type Claim,
  type CommonClaim,
  type FileLockClaim,
  type OperationClaim,
  type Session,
  type SessionStanding,
  type WebClaim,
  type WebQueue,
} from './claims.ts';
import type { WebLockInfo, WebLockMode } from './lock-table.ts';
import type { JoinFields, LockFields, OperateFields } from './records.ts';

// The claims of a session, and how each is made.

export function createSession(id: number, { identity, folder, whereabouts }: JoinFields, standing: SessionStanding): Session {
  return { id, identity, folder, whereabouts, standing, claims: new Map(), clients: null, behindOthers: null };
}

export function createLock(common: CommonClaim, { locator, lockClass }: LockFields): FileLockClaim {
  return { type: 'lock', ...common, locator, lockClass, waitsFor: null, node: null, shared: false, before: null, after: null };
}

export function createOperation(common: CommonClaim, { intent, own }: OperateFields): OperationClaim {
  const tree = coversTree(intent);
  return { type: 'operation', ...common, intent, tree, own, waitsFor: null, dependents: null, nodes: [] };
}

export function createWebClaim(common: CommonClaim, queue: WebQueue, mode: WebLockMode, clientId: string): WebClaim {
  const { name } = queue;
  return { type: 'web', ...common, name, mode, clientId, queue, grant: 0, isBehindOthers: false, before: null, after: null };
}

export function addClaim(claim: Claim): void {
  const { claims, clients } = claim.session;
  claims.set(claim.id, claim);
  if (clients !== null && claim.type === 'web') addToClient(clients, claim);
}

export function removeClaim(claim: Claim): void {
  const { claims, clients } = claim.session;
  claims.delete(claim.id);
  if (clients !== null && claim.type === 'web') removeFromClient(clients, claim);
}

/** Removes claims of one session. */
export function removeClaims({ claims, clients }: Session, leaving: readonly Claim[]): void {
  if (leaving.length === claims.size) {
    claims.clear();
    clients?.clear();
  } else {
    for (const claim of leaving) removeClaim(claim);
  }
}

/** What a client of a session has. Most sessions never hear of the end of one: the index is made when first asked. */
export function claimsOfClient(session: Session, clientId: string): WebClaim[] {
  if (session.clients === null) return indexOthers(session, clientId);
  const ofClient = [...(session.clients.get(clientId)?.values() ?? [])];
  session.clients.delete(clientId);
  return ofClient;
}

function indexOthers(session: Session, clientId: string): WebClaim[] {
  const ofClient: WebClaim[] = [];
  const clients: NonNullable<Session['clients']> = new Map();
  for (const claim of session.claims.values()) {
    if (claim.type !== 'web') continue;
    if (claim.clientId === clientId) ofClient.push(claim);
    else addToClient(clients, claim);
  }
  session.clients = clients;
  return ofClient;
}

function addToClient(clients: NonNullable<Session['clients']>, claim: WebClaim): void {
  const ofClient = clients.get(claim.clientId);
  if (ofClient === undefined) clients.set(claim.clientId, new Map([[claim.id, claim]]));
  else ofClient.set(claim.id, claim);
}

function removeFromClient(clients: NonNullable<Session['clients']>, claim: WebClaim): void {
  const ofClient = clients.get(claim.clientId);
  ofClient?.delete(claim.id);
  if (ofClient?.size === 0) clients.delete(claim.clientId);
}

/** A claim as others may see it. */
export function webLockInfo({ name, mode, clientId }: WebClaim): WebLockInfo {
  return { name, mode, clientId };
}
