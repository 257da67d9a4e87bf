import type { WebLockInfo, WebLockTable } from '../disk/locks/lock-table.ts';
import { isThenable } from '../runtime/brands.ts';
import { nextTurn } from '../runtime/timers.ts';
import { domException } from '../webidl/dom-exception.ts';
import type { LockInfo, LockManagerOptions, LockManagerSnapshot } from './lock-manager.ts';
import { asWebError, LockRequest, type LockRequestInit, type Requester } from './lock-request.ts';
import { runLockTask } from './lock-tasks.ts';
import type { LockWitness } from './lock-witness.ts';

/**
 * The requests of one client, in the order of their calls. Its code is loaded when the first lock of the realm is asked
 * for.
 */
export class ClientLocks implements Requester {
  readonly #options: LockManagerOptions;
  readonly #requests = new Set<LockRequest>();
  #table: WebLockTable | null = null;
  #hasEnded = false;
  /** How many requests wait for the table to be loaded. */
  #unstarted = 0;

  constructor(options: LockManagerOptions) {
    this.#options = options;
  }

  get clientId(): string {
    return this.#options.clientId;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get witness(): LockWitness | undefined {
    return this.#options.witness?.();
  }

  settled(request: LockRequest): void {
    this.#requests.delete(request);
  }

  /**
   * https://w3c.github.io/web-locks/#dom-lockmanager-request, what comes after the conversion of the arguments
   *
   * @throws what the promise of the caller is to be rejected with.
   */
  request(requested: LockRequestInit): Promise<unknown> {
    validate(requested);
    const { signal } = requested;
    if (signal?.aborted === true) throw signal.reason;
    const table = this.#getTable('request a lock');
    const request = new LockRequest(requested, this);
    this.#requests.add(request);
    if (isThenable(table) || this.#unstarted > 0) void this.#startWhenLoaded(request, table);
    else this.#start(request, table);
    return request.promise;
  }

  /** https://w3c.github.io/web-locks/#dom-lockmanager-query */
  async query(): Promise<LockManagerSnapshot> {
    try {
      const table = await this.#getTable('query the locks');
      await new Promise<void>((resolve) => runLockTask(resolve));
      const { held, pending } = table.query();
      return { held: await lockInfos(held), pending: await lockInfos(pending) };
    } catch (error) {
      throw asWebError(error, 'query the locks');
    }
  }

  /** Rejects with `reason` what is not settled, releases what is held. */
  end(reason: DOMException): void {
    this.#hasEnded = true;
    try {
      // One record ends all; what it could not end is given up request by request.
      this.#table?.endClient(this.clientId);
    } finally {
      runLockTask(() => this.#failOneByOne(this.#requests.values(), reason));
    }
  }

  #failOneByOne(requests: Iterator<LockRequest>, reason: DOMException): void {
    const { done, value: request } = requests.next();
    if (done === true) return;
    request.fail(reason);
    runLockTask(() => this.#failOneByOne(requests, reason));
  }

  #getTable(purpose: string): WebLockTable | Promise<WebLockTable> {
    try {
      return this.#table ?? this.#options.table();
    } catch (error) {
      throw asWebError(error, purpose);
    }
  }

  #start(request: LockRequest, table: WebLockTable): void {
    this.#table = table;
    request.start(table);
  }

  /** Requests that wait for the same promise keep their order, also among managers. */
  async #startWhenLoaded(request: LockRequest, table: WebLockTable | Promise<WebLockTable>): Promise<void> {
    this.#unstarted++;
    try {
      this.#start(request, await table);
    } catch (error) {
      request.fail(asWebError(error, 'request a lock'));
    } finally {
      this.#unstarted--;
    }
  }
}

/** The checks of the standard, in its order. https://w3c.github.io/web-locks/#dom-lockmanager-request */
function validate({ name, mode, ifAvailable, steal, signal }: LockRequestInit): void {
  if (name.startsWith('-')) throw notSupported(`names that start with '-' are reserved, and '${name}' does`);
  if (steal && ifAvailable) throw notSupported("'steal' and 'ifAvailable' exclude each other");
  if (steal && mode !== 'exclusive') throw notSupported("'steal' needs the mode 'exclusive'");
  if (signal !== undefined && (steal || ifAvailable)) {
    throw notSupported("'signal' cannot be combined with 'steal' or 'ifAvailable', which never wait");
  }
}

function notSupported(why: string): DOMException {
  return domException('NotSupportedError', `Failed to execute 'request' on 'LockManager': ${why}.`);
}

/** How many locks are told of before the event loop turns. */
const INFOS_PER_TURN = 2048;

/** https://w3c.github.io/web-locks/#snapshot-the-lock-state, what the caller gets of it, in as many turns as it takes. */
async function lockInfos(locks: readonly WebLockInfo[]): Promise<LockInfo[]> {
  const infos: LockInfo[] = [];
  for (const { name, mode, clientId } of locks) {
    infos.push({ name, mode, clientId });
    if (infos.length % INFOS_PER_TURN === 0) await nextTurn();
  }
  return infos;
}
