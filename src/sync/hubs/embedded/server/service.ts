import type { HubCapabilities, HubSnapshot } from '../../../hub.ts';
import { type AnswerOf, MAX_ASKED_BLOBS, MAX_BLOB_BYTES, MAX_ENTRIES, MAX_ENTRY_BYTES, type OperationName, type RefusedAppend, type RequestOf } from '../operations.ts';
import type { Counters } from './counters.ts';
import { HubStore, type StoreLimits } from './hub-store.ts';
import { refusalOf } from './refusals.ts';
import { HoldfastError } from '../../../../runtime/holdfast-error.ts';
import type { StoredLog } from './stored-log.ts';
import { Turns } from './turns.ts';
import { Waiters } from './waiters.ts';

const CAPABILITIES: HubCapabilities = {
  durability: 'synced',
  dedupe: 'always',
  notifies: true,
  maxEntryBytes: MAX_ENTRY_BYTES,
  maxBlobBytes: MAX_BLOB_BYTES,
  warnings: [],
};

/** Who asks, as far as that matters here. */
export interface Asking {
  /** Whoever asked has gone. */
  readonly signal: AbortSignal;
  /** Whether the log may be made that is asked about. */
  readonly mayWrite: boolean;
  /** Is told of what failed of a part of the request. */
  failed(error: unknown): void;
  /** The name of his token. */
  readonly writer: string;
  /** Is told what an answer will hold, in bytes, before it is put together; throws when that is too much now. */
  admit(bytes: number): void;
}

type Handlers = { readonly [Name in OperationName]: (request: RequestOf<Name>, asking: Asking) => AnswerOf<Name> | Promise<AnswerOf<Name>> };

/** What the server does when it is asked, without what the asking takes. */
export class HubService {
  readonly #store: HubStore;
  readonly #waiters: Waiters;
  readonly #handlers: Handlers;

  constructor(root: string, counters: Counters, limits: Partial<StoreLimits> = {}) {
    const store = new HubStore(root, (log) => this.#waiters.wake(log), limits);
    const waiters = new Waiters(store);
    this.#store = store;
    this.#waiters = waiters;
    this.#handlers = { ...reading(store, waiters, counters), ...writing(store, counters), ...blobs(store, counters) };
  }

  /** For the metrics. */
  get state(): { readonly logs: number; readonly loaded: HubStore['loaded']; readonly waiting: Waiters['counts'] } {
    return { logs: this.#store.count, loaded: this.#store.loaded, waiting: this.#waiters.counts };
  }

  /** Makes what the root needs. Only for its one server. */
  prepare(): void {
    this.#store.prepare();
    this.#store.uploads.begin();
  }

  async answer<Name extends OperationName>(name: Name, request: RequestOf<Name>, asking: Asking): Promise<AnswerOf<Name>> {
    return await this.#handlers[name](request, asking);
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

function reading(store: HubStore, waiters: Waiters, counters: Counters): Pick<Handlers, 'hello' | 'head' | 'read' | 'wait' | 'snapshot'> {
  return {
    hello: () => CAPABILITIES,
    head: ({ log }, { mayWrite }) => (mayWrite ? store.log(log) : existing(store, log)).head(),
    read({ log, after, limit }, { admit }) {
      const entries = store.find(log)?.read(after, Math.min(limit, MAX_ENTRIES)) ?? [];
      const size = entries.reduce((sum, { bytes }) => sum + bytes.length, 0);
      admit(size);
      counters.entriesRead += entries.length;
      counters.bytesRead += size;
      return entries;
    },
    wait: ({ watched }, { signal }) => waiters.wait(watched, signal),
    snapshot: ({ log }, { admit }): Promise<HubSnapshot | null> | null => store.find(log)?.snapshots.get(admit) ?? null,
  };
}

/** A log, for whoever may not make it. */
function existing(store: HubStore, name: string): StoredLog {
  const log = store.find(name);
  if (log === null) throw new HoldfastError('hub-unauthorized', 'There is no such log yet, and who may only read makes none.');
  return log;
}

function writing(store: HubStore, counters: Counters): Pick<Handlers, 'append' | 'append-naming' | 'append-many' | 'put-snapshot' | 'trim'> {
  const append = async (request: RequestOf<'append'>, names: readonly string[] = []): Promise<number> => {
    const { log, entries } = request;
    for (const { bytes } of entries) requireFit('An entry', bytes, MAX_ENTRY_BYTES);
    const position = await store.log(log).append(entries, names);
    counters.entriesAppended += entries.length;
    counters.bytesAppended += entries.reduce((sum, { bytes }) => sum + bytes.length, 0);
    return position;
  };
  return {
    append: (request) => append(request),
    'append-naming': (request) => append(request, request.blobs),
    async 'append-many'({ appends }, { failed }) {
      const refused = (error: unknown): RefusedAppend => {
        failed(error);
        return refusalOf(error);
      };
      const turns = new Turns();
      const answers: Promise<number | RefusedAppend>[] = [];
      for (const each of appends) {
        // Logs that are not there yet are made, which takes its time.
        await turns.next();
        answers.push(append(each, each.blobs).catch(refused));
      }
      return await Promise.all(answers);
    },
    async 'put-snapshot'({ log, snapshot }) {
      await store.log(log).putSnapshot(snapshot);
      counters.snapshotsPut += 1;
    },
    trim: ({ log, upTo }) => store.find(log)?.trim(upTo),
  };
}

function blobs(store: HubStore, counters: Counters): Pick<Handlers, 'put-blob' | 'get-blob' | 'has-blobs' | 'unused-blobs' | 'remove-blobs'> {
  return {
    async 'put-blob'({ log, name, bytes }, { writer }) {
      requireFit('A blob', bytes, MAX_BLOB_BYTES);
      await store.log(log).blobs.put(name, bytes, writer);
      counters.blobsPut += 1;
    },
    'get-blob': ({ log, name }, { admit }): Promise<Uint8Array | null> | null => store.find(log)?.blobs.get(name, admit) ?? null,
    'has-blobs': ({ log, names }): Promise<string[]> | string[] => store.find(log)?.blobs.among(names) ?? [],
    'unused-blobs': ({ log, unusedFor, after }): Promise<string[]> | string[] => store.find(log)?.blobs.unused(unusedFor, after, MAX_ASKED_BLOBS) ?? [],
    async 'remove-blobs'({ log, ...removal }) {
      const removed = (await store.find(log)?.removeBlobs(removal)) ?? 0;
      counters.blobsRemoved += removed;
      return removed;
    },
  };
}

function requireFit(what: string, { length }: Uint8Array, most: number): void {
  if (length > most) throw new HoldfastError('hub-too-large', `${what} of ${length} bytes is larger than ${most}, which this hub takes.`);
}
