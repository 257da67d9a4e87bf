import type { Claim, CommonClaim, Session, WebClaim } from './claims.ts';
import { createLock, createOperation, createWebClaim } from './session.ts';
import type { SavedClaim, SavedCrowd } from './snapshot.ts';
import type { WebQueues } from './web-queues.ts';

// Claims as a snapshot has them, made anew for a session that it has too.

export function reviveClaim({ id, order, since, held, shared, fields }: SavedClaim, session: Session, web: WebQueues): Claim {
  const common: CommonClaim = { session, id, order, since, state: held ? 'held' : 'waiting' };
  if (fields.type === 'lock') return { ...createLock(fields, common), shared };
  if (fields.type === 'operation') return createOperation(fields, common);
  return createWebClaim(common, web.queue(fields.name), fields.mode, fields.clientId);
}

export function reviveCrowd({ held, name, mode, clientId, places }: SavedCrowd, session: Session, web: WebQueues): WebClaim[] {
  const queue = web.queue(name);
  const state = held ? 'held' : 'waiting';
  return places.map(({ id, order, since }) => createWebClaim({ session, id, order, since, state }, queue, mode, clientId));
}
