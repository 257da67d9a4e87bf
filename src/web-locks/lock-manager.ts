import type { WebLockTable } from '../disk/locks/lock-table.ts';
import { isAbortSignal } from '../runtime/brands.ts';
import { Code } from '../runtime/code.ts';
import { errorMessage } from '../runtime/errors.ts';
import { boolean, callbackFunction, dictionary, DOMString, enumeration } from '../webidl/conversions.ts';
import { domException } from '../webidl/dom-exception.ts';
import { defineInterface, illegalConstructor, illegalInvocation, internal, requireArguments } from '../webidl/interface.ts';
import type * as Behaviour from './client-locks.ts';
import type { ClientLocks } from './client-locks.ts';
import type { LockMode } from './lock.ts';
import type { LockGrantedCallback, LockOptions, LockRequestInit } from './lock-request.ts';
import type { LockWitness } from './lock-witness.ts';

export interface LockManagerOptions {
  /** The bucket's locks; asked for until they are there. Requests keep their order if a promise is given more than once. */
  readonly table: () => WebLockTable | Promise<WebLockTable>;
  /** What tells this client from others in `query()`: unique among all processes. */
  readonly clientId: string;
  /** Whether the client is open: the 'fully active document' of the standard. */
  readonly isActive?: () => boolean;
  /** Asked for once the table is there. */
  readonly witness?: () => LockWitness;
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

const convertOptions = dictionary<Omit<LockRequestInit, 'name' | 'callback'>>({
  ifAvailable: { convert: boolean, default: false },
  mode: { convert: enumeration('LockMode', ['shared', 'exclusive']), default: 'exclusive' },
  signal: { convert: abortSignal },
  steal: { convert: boolean, default: false },
});

/** What requests run on. */
const behaviour = new Code<typeof Behaviour>(() => import('./client-locks.ts'));

/**
 * The locks of an origin's bucket, as one client sees them: shared with all clients, processes and threads that use the
 * bucket. https://w3c.github.io/web-locks/#api-lock-manager
 *
 * Differs from the standard: there is no secure context, so none is asked for.
 */
export class LockManager {
  readonly #options: LockManagerOptions;
  #locks: ClientLocks | undefined;
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
   * for options that exclude each other; with InvalidStateError when the client is closed; with SecurityError when the
   * root cannot be used at all; with UnknownError when it cannot be written or the disk fails.
   */
  request<T>(name: string, callback: LockGrantedCallback<T>): Promise<Awaited<T>>;
  request<T>(name: string, options: LockOptions, callback: LockGrantedCallback<T>): Promise<Awaited<T>>;
  async request(...args: unknown[]): Promise<unknown> {
    if (!(#options in this)) throw illegalInvocation('LockManager');
    requireArguments(args.length, 2, 'LockManager', 'request');
    const requested = convertArguments(args);
    this.#requireActive('request');
    const locks = this.#of(await loadFor('request a lock'));
    if (this.#ended) throw closedMeanwhile();
    return locks.request(requested);
  }

  /**
   * Who holds and who waits for which lock, of all clients. A snapshot: it may be out of date when it arrives. Rejects
   * with InvalidStateError when the client is closed, with SecurityError when the root cannot be used at all, and with
   * UnknownError when the disk fails.
   * https://w3c.github.io/web-locks/#api-lock-manager-query
   */
  async query(): Promise<LockManagerSnapshot> {
    if (!(#options in this)) throw illegalInvocation('LockManager');
    this.#requireActive('query');
    return this.#of(await loadFor('query the locks')).query();
  }

  /** @internal Ends the client: rejects what is not settled, releases what is held. */
  static end(manager: LockManager): void {
    if (manager.#ended) return;
    manager.#ended = true;
    manager.#locks?.end(closedMeanwhile());
  }

  #of({ ClientLocks }: typeof Behaviour): ClientLocks {
    return (this.#locks ??= new ClientLocks(this.#options));
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

function closedMeanwhile(): DOMException {
  return domException('AbortError', 'The client that requested the lock was closed');
}

async function loadFor(purpose: string): Promise<typeof Behaviour> {
  try {
    return await behaviour.load();
  } catch (error) {
    throw domException('UnknownError', `Failed to ${purpose}: ${errorMessage(error)}`, error);
  }
}

/** The overloads of `request`: https://webidl.spec.whatwg.org/#js-overloads, by the number of arguments. */
function convertArguments(args: readonly unknown[]): LockRequestInit {
  const name = DOMString(args[0], `${inRequest}: parameter 1`);
  const [options, callback] = args.length === 2 ? [undefined, args[1]] : [args[1], args[2]];
  return {
    name,
    ...convertOptions(options, `${inRequest}: parameter 2`),
    callback: callbackFunction(callback, `${inRequest}: parameter ${Math.min(args.length, 3)}`),
  };
}

/** https://webidl.spec.whatwg.org/#js-interface */
function abortSignal(value: unknown, context: string): AbortSignal {
  if (!isAbortSignal(value)) throw new TypeError(`${context} is not an AbortSignal.`);
  return value;
}
