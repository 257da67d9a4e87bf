import type { WebLockTable } from '../disk/locks/lock-table.ts';
import { isThenable } from '../runtime/brands.ts';
import { domException } from '../webidl/dom-exception.ts';
import type { LockInfo, LockManagerOptions, LockManagerSnapshot } from './lock-manager.ts';
import { asWebError, LockRequest, type LockRequestInit } from './lock-request.ts';

/** What a request asks for; its arguments were converted, and nothing else was looked at. */
export type RequestedLock = Omit<LockRequestInit, 'clientId' | 'witness'>;

/**
 * The requests of one client, in the order of their calls. Its code is loaded when the first lock of the realm is asked
 * for.
 */
export class ClientLocks {
  readonly #options: LockManagerOptions;
  readonly #requests = new Set<LockRequest>();
  #table: WebLockTable | null = null;
  /** How many requests wait for the table to be loaded. */
  #unstarted = 0;

  constructor(options: LockManagerOptions) {
    this.#options = options;
  }

  /** https://w3c.github.io/web-locks/#dom-lockmanager-request, what comes after the conversion of the arguments */
  async request(requested: RequestedLock): Promise<unknown> {
    validate(requested);
    const { signal } = requested;
    if (signal?.aborted === true) throw signal.reason;
    return this.#begin(new LockRequest({ ...requested, clientId: this.#options.clientId, witness: this.#options.witness }));
  }

  /** https://w3c.github.io/web-locks/#dom-lockmanager-query */
  async query(): Promise<LockManagerSnapshot> {
    try {
      const { held, pending } = (await this.#getTable('query the locks')).query();
      return { held: held.map(lockInfo), pending: pending.map(lockInfo) };
    } catch (error) {
      throw asWebError(error, 'query the locks');
    }
  }

  /** Rejects with `reason` what is not settled, releases what is held. */
  end(reason: DOMException): void {
    for (const request of [...this.#requests]) request.fail(reason);
    this.#table?.endClient(this.#options.clientId);
  }

  #begin(request: LockRequest): Promise<unknown> {
    const table = this.#getTable('request a lock');
    this.#requests.add(request);
    const forget = (): void => void this.#requests.delete(request);
    request.promise.then(forget, forget);
    if (isThenable(table) || this.#unstarted > 0) void this.#startWhenLoaded(request, table);
    else this.#start(request, table);
    return request.promise;
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
function validate({ name, mode, ifAvailable, steal, signal }: RequestedLock): void {
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

function lockInfo({ name, mode, clientId }: LockInfo): LockInfo {
  return { name, mode, clientId };
}
