import type { WebClaim } from './claims.ts';
import type { WebLockMode } from './lock-table.ts';

interface WebQueue {
  readonly held: WebClaim[];
  readonly pending: WebClaim[];
}

/**
 * Held locks and request queues by name. https://w3c.github.io/web-locks/#lock-managers
 *
 * A lock manager of the standard is one agent cluster's; this one is the bucket's, over all processes.
 */
export class WebQueues {
  readonly #queues = new Map<string, WebQueue>();
  /** In the order in which they were granted. */
  readonly #held = new Set<WebClaim>();
  readonly #settled: (claim: WebClaim) => void;
  readonly #stolen: (claim: WebClaim) => void;

  constructor(settled: (claim: WebClaim) => void, stolen: (claim: WebClaim) => void) {
    this.#settled = settled;
    this.#stolen = stolen;
  }

  /** https://w3c.github.io/web-locks/#request-a-lock */
  enter(claim: WebClaim, how: { ifAvailable: boolean; steal: boolean }): void {
    const queue = this.#queue(claim.name);
    if (how.steal) this.#steal(queue);
    if (how.steal || isGrantable(claim, queue)) this.#grant(claim, queue);
    else if (how.ifAvailable) claim.state = 'refused';
    else queue.pending.push(claim);
    this.#drop(claim.name, queue);
  }

  /** A claim from a snapshot: held ones in the order of their grants, pending ones in queue order. */
  readmit(claim: WebClaim): void {
    const queue = this.#queue(claim.name);
    if (claim.state === 'held') this.#grant(claim, queue);
    else queue.pending.push(claim);
  }

  /** Releases held claims and withdraws pending ones. None of them is granted because of the end of another. */
  end(claims: readonly WebClaim[]): void {
    for (const claim of claims) this.#remove(claim);
    for (const name of new Set(claims.map((claim) => claim.name))) {
      const queue = this.#queue(name);
      this.#process(queue);
      this.#drop(name, queue);
    }
  }

  /** The first claim that a request would have to wait for if it came now. */
  obstacle(name: string, mode: WebLockMode): WebClaim | null {
    const queue = this.#queues.get(name);
    return queue?.pending[0] ?? queue?.held.find((lock) => modesConflict(lock.mode, mode)) ?? null;
  }

  /** Those that a waiting claim waits for: the one before it in the queue, or for the first, the holders. */
  ahead(claim: WebClaim): readonly WebClaim[] {
    const queue = this.#queues.get(claim.name);
    if (queue === undefined) return [];
    const before = queue.pending[queue.pending.indexOf(claim) - 1];
    return before === undefined ? queue.held : [before];
  }

  /** In the order in which they were granted. */
  get held(): Iterable<WebClaim> {
    return this.#held;
  }

  /** Queue by queue, each in its own order. */
  *pending(): Iterable<WebClaim> {
    for (const queue of this.#queues.values()) yield* queue.pending;
  }

  #remove(claim: WebClaim): void {
    const queue = this.#queue(claim.name);
    const list = claim.state === 'held' ? queue.held : queue.pending;
    list.splice(list.indexOf(claim), 1);
    this.#held.delete(claim);
    claim.state = 'ended';
  }

  /** https://w3c.github.io/web-locks/#process-a-lock-request-queue */
  #process(queue: WebQueue): void {
    for (let next = queue.pending[0]; next !== undefined; next = queue.pending[0]) {
      if (!isGrantable(next, queue)) return;
      queue.pending.shift();
      this.#grant(next, queue);
      this.#settled(next);
    }
  }

  #grant(claim: WebClaim, queue: WebQueue): void {
    claim.state = 'held';
    queue.held.push(claim);
    this.#held.add(claim);
  }

  #steal(queue: WebQueue): void {
    for (const claim of queue.held.splice(0)) {
      claim.state = 'ended';
      this.#held.delete(claim);
      this.#stolen(claim);
    }
  }

  #queue(name: string): WebQueue {
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = { held: [], pending: [] };
      this.#queues.set(name, queue);
    }
    return queue;
  }

  #drop(name: string, queue: WebQueue): void {
    if (queue.held.length === 0 && queue.pending.length === 0) this.#queues.delete(name);
  }
}

/** https://w3c.github.io/web-locks/#grantable: nothing waits before it, and no lock that is held conflicts. */
function isGrantable(claim: WebClaim, queue: WebQueue): boolean {
  if (queue.pending.length > 0 && queue.pending[0] !== claim) return false;
  return !queue.held.some((lock) => modesConflict(lock.mode, claim.mode));
}

function modesConflict(a: WebLockMode, b: WebLockMode): boolean {
  return a === 'exclusive' || b === 'exclusive';
}
