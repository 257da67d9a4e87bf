import type { WebLockTable } from '../disk/locks/lock-table.ts';
import { boolean, callbackFunction, dictionary, DOMString, enumeration } from '../webidl/conversions.ts';
import { domException } from '../webidl/dom-exception.ts';
import { defineInterface, illegalConstructor, illegalInvocation, internal, requireArguments } from '../webidl/interface.ts';
import type { Lock, LockMode } from './lock.ts';
import { asWebError, LockRequest, type LockGrantedCallback, type LockOptions, type LockRequestInit } from './lock-request.ts';

export interface LockManagerOptions {
  /** The bucket's locks; asked for until they are there. Requests keep their order if a promise is given more than once. */
  readonly table: () => WebLockTable | Promise<WebLockTable>;
  /** What tells this client from others in `query()`: unique among all processes. */
  readonly clientId: string;
  /** Ties a callback to the asynchronous context in which it was given. */
  readonly bind?: <F extends (...args: never[]) => unknown>(callback: F) => F;
  /** Whether the client is open: the 'fully active document' of the standard. */
  readonly isActive?: () => boolean;
}

/** https://w3c.github.io/web-locks/#dictdef-lockinfo */
export interface LockInfo {
  name: string;
  mode: LockMode;
  clientId: string;
}

/** https://w3c.github.io/web-locks/#dictdef-lockmanagersnapshot */
export interface LockManagerSnapshot {
  held: LockInfo[];
  pending: LockInfo[];
}

const inRequest = "Failed to execute 'request' on 'LockManager'";

const convertOptions = dictionary<LockOptions>({
  ifAvailable: { convert: boolean, default: false },
  mode: { convert: enumeration('LockMode', ['shared', 'exclusive']), default: 'exclusive' },
  signal: { convert: abortSignal },
  steal: { convert: boolean, default: false },
});

/**
 * The locks of an origin's bucket, as one client sees them: shared with all clients, processes and threads that use the
 * bucket. https://w3c.github.io/web-locks/#api-lock-manager
 *
 * Differs from the standard: there is no secure context, so none is asked for.
 */
export class LockManager {
  readonly #options: LockManagerOptions;
  readonly #requests = new Set<LockRequest>();
  #table: WebLockTable | null = null;
  /** How many requests wait for the table to be loaded. */
  #unstarted = 0;
  #ended = false;

  /** @internal */
  constructor(token: typeof internal, options: LockManagerOptions) {
    if (token !== internal) illegalConstructor();
    this.#options = options;
  }

  /**
   * Requests a lock; `callback` runs when it is granted, and what it returns, awaited, is how long it is held.
   * https://w3c.github.io/web-locks/#api-lock-manager-request
   *
   * @returns what the callback returns. Rejects with AbortError when the lock is stolen; with the reason of
   * `options.signal` when that aborts before the lock is granted; with NotSupportedError for names that start with `-` and
   * for options that exclude each other; with InvalidStateError when the client is closed; with UnknownError when the
   * disk fails.
   */
  request<T>(name: string, callback: LockGrantedCallback<T>): Promise<Awaited<T>>;
  request<T>(name: string, options: LockOptions, callback: LockGrantedCallback<T>): Promise<Awaited<T>>;
  async request(...args: unknown[]): Promise<unknown> {
    if (!(#options in this)) throw illegalInvocation('LockManager');
    requireArguments(args.length, 2, 'LockManager', 'request');
    const init = this.#validate(convertArguments(args));
    const { signal } = init;
    if (signal?.aborted === true) throw signal.reason;
    return this.#begin(new LockRequest(init));
  }

  /**
   * Who holds and who waits for which lock, of all clients. A snapshot: it may be out of date when it arrives.
   * https://w3c.github.io/web-locks/#api-lock-manager-query
   */
  async query(): Promise<LockManagerSnapshot> {
    if (!(#options in this)) throw illegalInvocation('LockManager');
    this.#requireActive('query');
    try {
      const { held, pending } = (await this.#getTable('query the locks')).query();
      return { held: held.map(lockInfo), pending: pending.map(lockInfo) };
    } catch (error) {
      throw asWebError(error, 'query the locks');
    }
  }

  /** @internal Ends the client: rejects what is not settled, releases what is held. */
  static end(manager: LockManager): void {
    if (manager.#ended) return;
    manager.#ended = true;
    const reason = domException('AbortError', 'The client that requested the lock was closed');
    for (const request of [...manager.#requests]) request.fail(reason);
    manager.#table?.endClient(manager.#options.clientId);
  }

  /** The checks of the standard, in its order. https://w3c.github.io/web-locks/#dom-lockmanager-request */
  #validate({ name, options, callback }: ConvertedArguments): LockRequestInit {
    const { mode = 'exclusive', ifAvailable = false, steal = false, signal } = options;
    this.#requireActive('request');
    if (name.startsWith('-')) throw notSupported(`names that start with '-' are reserved, and '${name}' does`);
    if (steal && ifAvailable) throw notSupported("'steal' and 'ifAvailable' exclude each other");
    if (steal && mode !== 'exclusive') throw notSupported("'steal' needs the mode 'exclusive'");
    if (signal !== undefined && (steal || ifAvailable)) {
      throw notSupported("'signal' cannot be combined with 'steal' or 'ifAvailable', which never wait");
    }
    const { clientId, bind } = this.#options;
    return { name, mode, ifAvailable, steal, signal, clientId, callback: bind === undefined ? callback : bind(callback) };
  }

  #begin(request: LockRequest): Promise<unknown> {
    const table = this.#getTable('request a lock');
    this.#requests.add(request);
    const forget = (): void => void this.#requests.delete(request);
    request.promise.then(forget, forget);
    if (table instanceof Promise || this.#unstarted > 0) void this.#startWhenLoaded(request, table);
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

  #requireActive(operation: string): void {
    if (!this.#ended && this.#options.isActive?.() !== false) return;
    throw domException('InvalidStateError', `Failed to execute '${operation}' on 'LockManager': the client is closed.`);
  }
}

defineInterface(LockManager, { name: 'LockManager', operations: { request: 2, query: 0 } });

/** The lock manager of one client. */
export function createLockManager(options: LockManagerOptions): LockManager {
  return new LockManager(internal, options);
}

interface ConvertedArguments {
  readonly name: string;
  readonly options: LockOptions;
  readonly callback: (lock: Lock | null) => unknown;
}

/** The overloads of `request`: https://webidl.spec.whatwg.org/#js-overloads, by the number of arguments. */
function convertArguments(args: readonly unknown[]): ConvertedArguments {
  const name = DOMString(args[0], `${inRequest}: parameter 1`);
  if (args.length === 2) return { name, options: {}, callback: callbackFunction(args[1], `${inRequest}: parameter 2`) };
  const options = convertOptions(args[1], `${inRequest}: parameter 2`);
  return { name, options, callback: callbackFunction(args[2], `${inRequest}: parameter 3`) };
}

const abortedGetter = Object.getOwnPropertyDescriptor(AbortSignal.prototype, 'aborted')?.get;

/** https://webidl.spec.whatwg.org/#js-interface: the getter throws for what is no AbortSignal, whatever it pretends to be. */
function abortSignal(value: unknown, context: string): AbortSignal {
  try {
    abortedGetter?.call(value);
    return value as AbortSignal;
  } catch {
    throw new TypeError(`${context} is not an AbortSignal.`);
  }
}

function notSupported(why: string): DOMException {
  return domException('NotSupportedError', `${inRequest}: ${why}.`);
}

function lockInfo({ name, mode, clientId }: LockInfo): LockInfo {
  return { name, mode, clientId };
}
