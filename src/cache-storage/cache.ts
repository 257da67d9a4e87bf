import type { CacheHandle } from '../disk/caches/cache-handle.ts';
import type { CacheEntry } from '../disk/caches/entry.ts';
import { isObject } from '../runtime/brands.ts';
import { boolean, dictionary } from '../webidl/conversions.ts';
import { defineInterface, illegalConstructor, illegalInvocation, internal, requireArguments } from '../webidl/interface.ts';
import { addAll, requireStorable, variesByAll } from './add-all.ts';
import { webError } from './errors.ts';
import { knownRequest, queryOf, type CacheQueryOptions, type KnownRequest, type RequestInfo } from './request-info.ts';
import { giveUp, storeBody } from './store-body.ts';
import { createResponse, headOf, isResponse } from './stored-response.ts';

/** One cache, as a client has it. */
export interface ClientCache {
  /** Below which relative URLs are. */
  readonly url: string;
  /** Its entries, once what they take is loaded. @throws HoldfastError `closed` */
  handle(): Promise<CacheHandle>;
}

const convertOptions = dictionary<CacheQueryOptions>({
  ignoreMethod: { convert: boolean, default: false },
  ignoreSearch: { convert: boolean, default: false },
  ignoreVary: { convert: boolean, default: false },
});

/**
 * Requests and their responses, in the order in which they were put; on disk, shared by all clients of the origin's
 * bucket in all processes. What is put is there for all when the promise fulfils, and survives what the host's durability
 * says; a put that fails, at whatever point, leaves what was there.
 *
 * All methods reject with InvalidStateError when the client is closed, with SecurityError when the root cannot be used
 * at all, with NoModificationAllowedError where it cannot be written, and with UnknownError when the disk fails.
 * https://w3c.github.io/ServiceWorker/#cache-interface
 */
export class Cache {
  readonly #cache: ClientCache;

  /** @internal */
  constructor(token: typeof internal, cache: ClientCache) {
    if (token !== internal) illegalConstructor();
    this.#cache = cache;
  }

  /** The first response that matches. Its body is read from the disk as it is asked for. https://w3c.github.io/ServiceWorker/#cache-match */
  async match(request: RequestInfo, options?: CacheQueryOptions): Promise<Response | undefined>;
  async match(...args: unknown[]): Promise<Response | undefined> {
    const context = Cache.#begin(this, 'match', args, 1);
    const asked = this.#asked(args, context, true);
    return attempt(context, async () => {
      const handle = await this.#cache.handle();
      const [stored] = asked.isMiss ? [] : handle.read(asked.query, 1);
      return stored && createResponse(stored);
    });
  }

  /** All responses that match, or all. https://w3c.github.io/ServiceWorker/#cache-matchall */
  async matchAll(request?: RequestInfo, options?: CacheQueryOptions): Promise<readonly Response[]>;
  async matchAll(...args: unknown[]): Promise<readonly Response[]> {
    const context = Cache.#begin(this, 'matchAll', args, 0);
    const asked = this.#asked(args, context, false);
    return attempt(context, async () => {
      const handle = await this.#cache.handle();
      return Object.freeze((asked.isMiss ? [] : handle.read(asked.query)).map(createResponse));
    });
  }

  /** Fetches and puts one. https://w3c.github.io/ServiceWorker/#cache-add */
  async add(request: RequestInfo): Promise<undefined>;
  async add(...args: unknown[]): Promise<undefined> {
    const context = Cache.#begin(this, 'add', args, 1);
    return this.#addAll([args[0]], context);
  }

  /**
   * Fetches and puts all, or none: with the global `fetch`. Rejects with what that rejects with; with TypeError for a
   * response that is not ok, is partial or varies by everything; with InvalidStateError for requests that would take each
   * other's place; with QuotaExceededError.
   * https://w3c.github.io/ServiceWorker/#cache-addAll
   */
  async addAll(requests: Iterable<RequestInfo>): Promise<undefined>;
  async addAll(...args: unknown[]): Promise<undefined> {
    const context = Cache.#begin(this, 'addAll', args, 1);
    return this.#addAll(sequence(args[0], `${context}: parameter 1`), context);
  }

  async #addAll(requests: readonly unknown[], context: string): Promise<undefined> {
    const known = requests.map((request) => knownRequest(request, this.#cache.url, `${context}: a request`));
    for (const request of known) requireStorable(request, context);
    return attempt(context, async () => addAll(await this.#cache.handle(), known, context)) as Promise<undefined>;
  }

  /**
   * Puts a response, in the place of those that the request matches. Its body is read to the end, in bounded memory.
   * Rejects with TypeError for other methods than GET, other URLs than http(s), partial responses, `Vary: *` and used
   * bodies; with what the body fails with; with QuotaExceededError.
   * https://w3c.github.io/ServiceWorker/#cache-put
   */
  async put(request: RequestInfo, response: Response): Promise<undefined>;
  async put(...args: unknown[]): Promise<undefined> {
    const context = Cache.#begin(this, 'put', args, 2);
    const request = knownRequest(args[0], this.#cache.url, `${context}: parameter 1`);
    const response = args[1];
    if (!isResponse(response)) throw new TypeError(`${context}: parameter 2 is not a Response.`);
    requireStorable(request, context);
    const taken = take(response, context);
    return attempt(context, async () => {
      const handle = await this.#cache.handle().catch((error: unknown) => {
        giveUp(taken.reader, error);
        throw error;
      });
      const put = await storeBody(handle, request, taken);
      try {
        handle.put([put]);
      } catch (error) {
        put.draft.discard();
        throw error;
      }
    }) as Promise<undefined>;
  }

  /** Removes what matches; whether anything did. https://w3c.github.io/ServiceWorker/#cache-delete */
  async delete(request: RequestInfo, options?: CacheQueryOptions): Promise<boolean>;
  async delete(...args: unknown[]): Promise<boolean> {
    const context = Cache.#begin(this, 'delete', args, 1);
    const asked = this.#asked(args, context, true);
    return attempt(context, async () => {
      const handle = await this.#cache.handle();
      return !asked.isMiss && asked.query !== null && handle.remove(asked.query);
    });
  }

  /** The requests that match, or all. https://w3c.github.io/ServiceWorker/#cache-keys */
  async keys(request?: RequestInfo, options?: CacheQueryOptions): Promise<readonly Request[]>;
  async keys(...args: unknown[]): Promise<readonly Request[]> {
    const context = Cache.#begin(this, 'keys', args, 0);
    const asked = this.#asked(args, context, false);
    return attempt(context, async () => {
      const handle = await this.#cache.handle();
      return Object.freeze((asked.isMiss ? [] : handle.find(asked.query)).map(createRequest));
    });
  }

  static #begin(cache: Cache, operation: string, args: readonly unknown[], required: number): string {
    if (!(#cache in cache)) throw illegalInvocation('Cache');
    requireArguments(args.length, required, 'Cache', operation);
    return `Failed to execute '${operation}' on 'Cache'`;
  }

  /** What the arguments ask for; `isMiss`: nothing can match. */
  #asked([request, given]: readonly unknown[], context: string, isRequired: boolean): Asked {
    const known = request === undefined && !isRequired ? null : knownRequest(request, this.#cache.url, `${context}: parameter 1`);
    return askedBy(known, convertOptions(given, `${context}: parameter 2`));
  }
}

defineInterface(Cache, {
  name: 'Cache',
  operations: { match: 1, matchAll: 0, add: 1, addAll: 1, put: 2, delete: 1, keys: 0 },
});

interface Asked {
  /** Null: all. */
  readonly query: ReturnType<typeof queryOf> | null;
  /** The request's method is none that is stored. */
  readonly isMiss: boolean;
}

/** What a request and options ask for. */
export function askedBy(request: KnownRequest | null, options: CacheQueryOptions): Asked {
  if (request === null) return { query: null, isMiss: false };
  return { query: queryOf(request, options), isMiss: request.method !== 'GET' && options.ignoreMethod !== true };
}

/** Runs what needs the disk. */
export async function attempt<T>(context: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw webError(error, context);
  }
}

function createRequest({ url, fragment, headers }: CacheEntry): Request {
  return new Request(url + fragment, { headers: headers as [string, string][] });
}

/** https://webidl.spec.whatwg.org/#js-sequence */
function sequence(value: unknown, context: string): unknown[] {
  if (!isObject(value) || typeof (value as Partial<Iterable<unknown>>)[Symbol.iterator] !== 'function') throw new TypeError(`${context} is not a sequence.`);
  return [...(value as Iterable<unknown>)];
}

/** Takes the body, in the caller's turn. @throws TypeError for what cannot be stored */
function take(response: Response, context: string): { readonly head: ReturnType<typeof headOf>; readonly reader: ReadableStreamDefaultReader<Uint8Array> | null } {
  const head = headOf(response);
  if (head.status === 206) throw new TypeError(`${context}: a partial response (206) cannot be stored.`);
  if (variesByAll(head.headers)) throw new TypeError(`${context}: a response that varies by everything (Vary: *) cannot be stored.`);
  if (response.bodyUsed || response.body?.locked === true) throw new TypeError(`${context}: the body of the response is used or locked.`);
  return { head, reader: response.body?.getReader() ?? null };
}
