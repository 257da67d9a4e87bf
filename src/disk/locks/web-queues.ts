import { ClaimList } from './claim-list.ts';
import type { WebClaim, WebQueue } from './claims.ts';
import type { WebLockMode } from './lock-table.ts';

export interface WebQueueEvents {
  /** A claim that waited is held now. */
  settled(claim: WebClaim): void;
  /** Claims that were held are another's now. */
  stolen(claims: readonly WebClaim[]): void;
  /** A claim has come to its name, or left it; of those that leave at once, one of each name. */
  stirred(claim: WebClaim): void;
}

/**
 * Held locks and request queues by name. https://w3c.github.io/web-locks/#lock-managers
 *
 * A lock manager of the standard is one agent cluster's; this one is the bucket's, over all processes. Invariants:
 * - what is held of one name does not conflict: one exclusive lock, or shared ones only;
 * - a request is in its session's `behindOthers` if it is the first of its queue, or stands behind another session's;
 * - no step but a steal depends on how many hold or wait, and what many claims go through at once costs each of them
 *   no look into a table.
 */
export class WebQueues {
  readonly #queues = new Map<string, WebQueue>();
  readonly #events: WebQueueEvents;
  #grants = 0;

  constructor(events: WebQueueEvents) {
    this.#events = events;
  }

  /** https://w3c.github.io/web-locks/#request-a-lock */
  enter(claim: WebClaim, how: { ifAvailable: boolean; steal: boolean }): void {
    const { queue } = claim;
    if (how.steal) this.#steal(queue);
    if (how.steal || isGrantable(claim)) this.#grant(claim);
    else if (how.ifAvailable) claim.state = 'refused';
    else wait(claim);
    if (claim.state !== 'refused') this.#events.stirred(claim);
    this.#drop(queue);
  }

  /** A claim from a snapshot: held ones in the order of their grants, pending ones in queue order. */
  readmit(claim: WebClaim): void {
    if (claim.state === 'held') this.#grant(claim);
    else wait(claim);
  }

  /** Releases held claims and withdraws pending ones. None of them is granted because of the end of another. */
  end(claims: readonly WebClaim[]): void {
    /** One claim of each name. */
    const left = new Map<WebQueue, WebClaim>();
    let last: WebQueue | null = null;
    for (const claim of claims) {
      if (claim.queue !== last) left.set((last = claim.queue), claim);
      if (claim.state === 'held') last.held.remove(claim);
      else leaveQueue(claim);
      claim.state = 'ended';
    }
    for (const [queue, claim] of left) {
      this.#events.stirred(claim);
      this.#process(queue);
      this.#drop(queue);
    }
  }

  /** The queue of a name; made where nobody holds or waits. */
  queue(name: string): WebQueue {
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = { name, held: new ClaimList(), pending: new ClaimList() };
      this.#queues.set(name, queue);
    }
    return queue;
  }

  /** The first claim that a request would have to wait for if it came now. */
  obstacle(name: string, mode: WebLockMode): WebClaim | null {
    const queue = this.#queues.get(name);
    if (queue === undefined) return null;
    return queue.pending.first ?? (conflictsWithHeld(mode, queue) ? queue.held.first : null);
  }

  /** Whether another session than this holds or waits for what conflicts with a lock of `mode`. */
  isWantedBeside(session: number, name: string, mode: WebLockMode): boolean {
    const queue = this.#queues.get(name);
    if (queue === undefined) return false;
    const isRival = (claim: WebClaim): boolean => claim.session.id !== session && (mode === 'exclusive' || claim.mode === 'exclusive');
    return queue.held.some(isRival) || queue.pending.some(isRival);
  }

  /** Who holds and who waits for a name, in order. */
  parties(name: string): { held: Iterable<WebClaim>; pending: Iterable<WebClaim> } {
    return this.#queues.get(name) ?? { held: [], pending: [] };
  }

  /** Those that a waiting claim waits for: the one before it in the queue, or for the first, the holders. */
  ahead(claim: WebClaim): Iterable<WebClaim> {
    return claim.before === null ? claim.queue.held : [claim.before];
  }

  /** In the order in which they were granted. */
  held(): WebClaim[] {
    const held: WebClaim[] = [];
    for (const queue of this.#queues.values()) queue.held.appendTo(held);
    return sortBy(held, (claim) => claim.grant);
  }

  /** Queue by queue, each in its own order. */
  pending(): WebClaim[] {
    const pending: WebClaim[] = [];
    for (const queue of this.#queues.values()) queue.pending.appendTo(pending);
    return pending;
  }

  /** In the order in which they were made. */
  requests(): WebClaim[] {
    return sortBy(this.pending(), (claim) => claim.order);
  }

  /** https://w3c.github.io/web-locks/#process-a-lock-request-queue */
  #process(queue: WebQueue): void {
    const { pending } = queue;
    for (let next = pending.first; next !== null && isGrantable(next); next = pending.first) {
      leaveQueue(next);
      this.#grant(next);
      this.#events.settled(next);
    }
    if (pending.first !== null) noteWhoIsAhead(pending.first);
  }

  #grant(claim: WebClaim): void {
    claim.state = 'held';
    claim.grant = this.#grants++;
    claim.queue.held.push(claim);
  }

  #steal(queue: WebQueue): void {
    const stolen = queue.held.takeAll();
    for (const claim of stolen) claim.state = 'ended';
    this.#events.stolen(stolen);
  }

  #drop({ name, held, pending }: WebQueue): void {
    if (held.first === null && pending.first === null) this.#queues.delete(name);
  }
}

function wait(claim: WebClaim): void {
  claim.queue.pending.push(claim);
  noteWhoIsAhead(claim);
}

/** Who comes to be the first by that is noted when the queue is processed, once for many that leave. */
function leaveQueue(claim: WebClaim): void {
  const next = claim.after;
  const { before } = claim;
  claim.queue.pending.remove(claim);
  if (claim.isBehindOthers) noteBehind(claim, false);
  if (next !== null && before !== null) noteWhoIsAhead(next);
}

/** The first of a queue waits for holders, of which there may be many: who they are is asked when it matters. */
function noteWhoIsAhead(claim: WebClaim): void {
  const isBehind = claim.before?.session !== claim.session;
  if (claim.isBehindOthers !== isBehind) noteBehind(claim, isBehind);
}

function noteBehind(claim: WebClaim, isBehind: boolean): void {
  const { session } = claim;
  claim.isBehindOthers = isBehind;
  if (isBehind) (session.behindOthers ??= new Set()).add(claim);
  else session.behindOthers?.delete(claim);
}

/** https://w3c.github.io/web-locks/#grantable: nothing waits before it, and no lock that is held conflicts. */
function isGrantable(claim: WebClaim): boolean {
  const { queue } = claim;
  if (queue.pending.first !== null && queue.pending.first !== claim) return false;
  return !conflictsWithHeld(claim.mode, queue);
}

/** What is held does not conflict among itself, so the first stands for all. */
function conflictsWithHeld(mode: WebLockMode, { held: { first } }: WebQueue): boolean {
  return first !== null && (mode === 'exclusive' || first.mode === 'exclusive');
}

/** Mostly they are in order already. */
function sortBy(claims: WebClaim[], key: (claim: WebClaim) => number): WebClaim[] {
  let last = -1;
  for (const claim of claims) {
    if (key(claim) < last) return claims.sort((a, b) => key(a) - key(b));
    last = key(claim);
  }
  return claims;
}
