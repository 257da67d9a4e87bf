import type { HubCapabilities } from '../../../hub.ts';
import { type AnswerOf, MAX_BLOB_BYTES, MAX_ENTRY_BYTES, type OperationName, type RequestOf } from '../operations.ts';
import { HubStore } from './hub-store.ts';
import { HoldfastError } from '../../../../runtime/holdfast-error.ts';
import { Waiters } from './waiters.ts';

const CAPABILITIES: HubCapabilities = {
  durability: 'synced',
  dedupe: 'always',
  notifies: true,
  maxEntryBytes: MAX_ENTRY_BYTES,
  maxBlobBytes: MAX_BLOB_BYTES,
  warnings: [],
};

type Handlers = { readonly [Name in OperationName]: (request: RequestOf<Name>, signal: AbortSignal) => AnswerOf<Name> | Promise<AnswerOf<Name>> };

/** What the server does when it is asked, without what the asking takes. */
export class HubService {
  readonly #store: HubStore;
  readonly #waiters: Waiters;
  readonly #handlers: Handlers;

  constructor(root: string) {
    const store = new HubStore(root, (log) => this.#waiters.wake(log));
    const waiters = new Waiters(store);
    this.#store = store;
    this.#waiters = waiters;
    this.#handlers = handlersOf(store, waiters);
  }

  /** Makes what the root needs. Only for its one server. */
  prepare(): void {
    this.#store.places.prepare();
  }

  /** `signal`: whoever asked has gone. */
  async answer<Name extends OperationName>(name: Name, request: RequestOf<Name>, signal: AbortSignal): Promise<AnswerOf<Name>> {
    return await this.#handlers[name](request, signal);
  }

  /** Lets those go who wait for news. */
  endWaiting(): void {
    this.#waiters.close();
  }

  close(): void {
    this.endWaiting();
    this.#store.close();
  }
}

function handlersOf(store: HubStore, waiters: Waiters): Handlers {
  return {
    hello: () => CAPABILITIES,
    head: ({ log }) => store.log(log).head(),
    append: ({ log, entries }) => {
      for (const { bytes } of entries) requireFit('An entry', bytes, MAX_ENTRY_BYTES);
      return store.log(log).append(entries);
    },
    read: ({ log, after, limit }) => store.log(log).read(after, limit),
    wait: ({ watched }, signal) => waiters.wait(watched, signal),
    snapshot: ({ log }) => store.log(log).snapshots.get(),
    'put-snapshot': ({ log, snapshot }) => {
      store.log(log).make();
      return store.log(log).snapshots.put(snapshot);
    },
    trim: ({ log, upTo }) => store.log(log).trim(upTo),
    'put-blob': ({ log, name, bytes }) => {
      requireFit('A blob', bytes, MAX_BLOB_BYTES);
      store.log(log).make();
      return store.log(log).blobs.put(name, bytes);
    },
    'get-blob': ({ log, name }) => store.log(log).blobs.get(name),
    'has-blobs': ({ log, names }) => names.filter((name) => store.log(log).blobs.has(name)),
  };
}

function requireFit(what: string, { length }: Uint8Array, most: number): void {
  if (length > most) throw new HoldfastError('hub-too-large', `${what} of ${length} bytes is larger than ${most}, which this hub takes.`);
}
