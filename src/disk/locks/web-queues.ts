import { ClaimList } from './claim-list.ts';
import type { WebClaim } from './claims.ts';
import type { WebLockMode } from './lock-table.ts';

interface WebQueue {
  readonly held: ClaimList<WebClaim>;
  readonly pending: ClaimList<WebClaim>;
}

export interface WebQueueEvents {
  /** A claim that waited is held now. */
  settled(claim: WebClaim): void;
  /** A claim that was held is another's now. */
  stolen(claim: WebClaim): void;
  /** A claim has come to its name, or left it; of those that leave at once, one of each name. */
  stirred(claim: WebClaim): void;
}

/**
 * Held locks and request queues by name. https://w3c.github.io/web-locks/#lock-managers
 *
 * A lock manager of the standard is one agent cluster's; this one is the bucket's, over all processes. Invariants:
 * - what is held of one name does not conflict: one exclusive lock, or shared ones only;
 * - a request is in its session's `behindOthers` if it is the first of its queue, or stands behind another session's;
 * - no step but a steal depends on how many hold or wait.
 */
export class WebQueues {
  readonly #queues = new Map<string, WebQueue>();
  /** In the order in which they were granted. */
  readonly #held = new Set<WebClaim>();
  readonly #events: WebQueueEvents;

  constructor(events: WebQueueEvents) {
    this.#events = events;
  }

  /** https://w3c.github.io/web-locks/#request-a-lock */
  enter(claim: WebClaim, how: { ifAvailable: boolean; steal: boolean }): void {
    const queue = this.#queue(claim.name);
    if (how.steal) this.#steal(queue);
    if (how.steal || isGrantable(claim, queue)) this.#grant(claim, queue);
    else if (how.ifAvailable) claim.state = 'refused';
    else this.#wait(claim, queue);
    if (claim.state !== 'refused') this.#events.stirred(claim);
    this.#drop(claim.name, queue);
  }

  /** A claim from a snapshot: held ones in the order of their grants, pending ones in queue order. */
  readmit(claim: WebClaim): void {
    const queue = this.#queue(claim.name);
    if (claim.state === 'held') this.#grant(claim, queue);
    else this.#wait(claim, queue);
  }

  /** Releases held claims and withdraws pending ones. None of them is granted because of the end of another. */
  end(claims: readonly WebClaim[]): void {
    for (const claim of claims) this.#remove(claim);
    for (const claim of new Map(claims.map((each) => [each.name, each])).values()) {
      const queue = this.#queue(claim.name);
      this.#events.stirred(claim);
      this.#process(queue);
      this.#drop(claim.name, queue);
    }
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
    if (claim.before !== null) return [claim.before];
    return this.#queues.get(claim.name)?.held ?? [];
  }

  /** In the order in which they were granted. */
  get held(): Iterable<WebClaim> {
    return this.#held;
  }

  /** Queue by queue, each in its own order. */
  *pending(): Iterable<WebClaim> {
    for (const queue of this.#queues.values()) yield* queue.pending;
  }

  #wait(claim: WebClaim, { pending }: WebQueue): void {
    pending.push(claim);
    noteWhoIsAhead(claim);
  }

  #remove(claim: WebClaim): void {
    const queue = this.#queue(claim.name);
    if (claim.state === 'held') this.#letGo(claim, queue);
    else leaveQueue(claim, queue);
    claim.state = 'ended';
  }

  /** https://w3c.github.io/web-locks/#process-a-lock-request-queue */
  #process(queue: WebQueue): void {
    for (let next = queue.pending.first; next !== null; next = queue.pending.first) {
      if (!isGrantable(next, queue)) return;
      leaveQueue(next, queue);
      this.#grant(next, queue);
      this.#events.settled(next);
    }
  }

  #grant(claim: WebClaim, queue: WebQueue): void {
    claim.state = 'held';
    queue.held.push(claim);
    this.#held.add(claim);
  }

  #letGo(claim: WebClaim, queue: WebQueue): void {
    queue.held.remove(claim);
    this.#held.delete(claim);
  }

  #steal(queue: WebQueue): void {
    for (let claim = queue.held.first; claim !== null; claim = queue.held.first) {
      this.#letGo(claim, queue);
      claim.state = 'ended';
      this.#events.stolen(claim);
    }
  }

  #queue(name: string): WebQueue {
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = { held: new ClaimList(), pending: new ClaimList() };
      this.#queues.set(name, queue);
    }
    return queue;
  }

  #drop(name: string, queue: WebQueue): void {
    if (queue.held.first === null && queue.pending.first === null) this.#queues.delete(name);
  }
}

function leaveQueue(claim: WebClaim, { pending }: WebQueue): void {
  const next = claim.after;
  pending.remove(claim);
  claim.session.behindOthers?.delete(claim);
  if (next !== null) noteWhoIsAhead(next);
}

/** The first of a queue waits for holders, of which there may be many: who they are is asked when it matters. */
function noteWhoIsAhead(claim: WebClaim): void {
  const { session } = claim;
  if (claim.before?.session === session) session.behindOthers?.delete(claim);
  else (session.behindOthers ??= new Set()).add(claim);
}

/** https://w3c.github.io/web-locks/#grantable: nothing waits before it, and no lock that is held conflicts. */
function isGrantable(claim: WebClaim, queue: WebQueue): boolean {
  if (queue.pending.first !== null && queue.pending.first !== claim) return false;
  return !conflictsWithHeld(claim.mode, queue);
}

/** What is held does not conflict among itself, so the first stands for all. */
function conflictsWithHeld(mode: WebLockMode, { held: { first } }: WebQueue): boolean {
  return first !== null && (mode === 'exclusive' || first.mode === 'exclusive');
}
