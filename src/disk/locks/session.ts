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
import type { WebLockMode } from './lock-table.ts';
import type { JoinFields, LockFields, OperateFields } from './records.ts';

// The claims of a session, and how each is made.

export function createSession(id: number, { identity, folder, whereabouts }: JoinFields, standing: SessionStanding): Session {
  return { id, identity, folder, whereabouts, standing, claims: new Map(), clients: null, behindOthers: null };
}

export function createLock({ locator, lockClass }: LockFields, common: CommonClaim): FileLockClaim {
  return { type: 'lock', ...common, locator, lockClass, waitsFor: null, node: null, shared: false, before: null, after: null };
}

export function createOperation({ intent, own }: OperateFields, common: CommonClaim): OperationClaim {
  const tree = coversTree(intent);
  return { type: 'operation', ...common, intent, tree, own, waitsFor: null, dependents: null, nodes: [] };
}

/** Made by the ten thousand, so member by member, without a copy in between. */
export function createWebClaim(common: CommonClaim, queue: WebQueue, mode: WebLockMode, clientId: string): WebClaim {
  const { session, id, order, since, state } = common;
  const { name } = queue;
  return { type: 'web', session, id, order, since, state, name, mode, clientId, queue, grant: 0, isBehindOthers: false, before: null, after: null };
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

/** Removes claims of one session that have ended. Where most of all leave, those that stay are put back: that is faster. */
export function removeClaims(session: Session, ended: readonly Claim[]): void {
  const { claims } = session;
  if (2 * ended.length < claims.size) return ended.forEach(removeClaim);
  const staying = ended.length === claims.size ? [] : [...claims.values()].filter(({ state }) => state !== 'ended');
  claims.clear();
  session.clients = null;
  for (const claim of staying) claims.set(claim.id, claim);
}

/** The same for claims of whichever sessions. */
export function removeClaimsOfMany(ended: readonly Claim[]): void {
  const bySession = new Map<Session, Claim[]>();
  let last: Session | null = null;
  let ofLast: Claim[] = [];
  for (const claim of ended) {
    if (claim.session !== last) {
      last = claim.session;
      ofLast = bySession.get(last) ?? [];
      bySession.set(last, ofLast);
    }
    ofLast.push(claim);
  }
  for (const [session, claims] of bySession) removeClaims(session, claims);
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
