import type { CacheHandle } from '../disk/caches/cache-handle.ts';
import type { CacheStore } from '../disk/caches/cache-store.ts';
import { boolean, dictionary, DOMString } from '../webidl/conversions.ts';
import { defineInterface, illegalConstructor, illegalInvocation, internal, requireArguments } from '../webidl/interface.ts';
import { askedBy, attempt, Cache } from './cache.ts';
import { createResponse } from './stored-response.ts';
import { knownRequest, type CacheQueryOptions, type RequestInfo } from './request-info.ts';

/** What a CacheStorage needs of its client. */
export interface CacheStorageOptions {
  /** The client's URL: below it are relative ones. */
  readonly url: string;
  /** The bucket's caches, once what they take is loaded. @throws HoldfastError */
  readonly store: () => Promise<CacheStore>;
}

/** https://w3c.github.io/ServiceWorker/#dictdef-multicachequeryoptions */
export interface MultiCacheQueryOptions extends CacheQueryOptions {
  /** Only this cache is asked. */
  readonly cacheName?: string | undefined;
}

const convertOptions = dictionary<MultiCacheQueryOptions>({
  ignoreMethod: { convert: boolean, default: false },
  ignoreSearch: { convert: boolean, default: false },
  ignoreVary: { convert: boolean, default: false },
  cacheName: { convert: DOMString },
});

/**
 * The caches of an origin's bucket, by their names: on disk, shared by all processes and threads of the root. Methods
 * reject as those of {@link Cache} do.
 * https://w3c.github.io/ServiceWorker/#cachestorage-interface
 *
 * Differs from the standard: there is no secure context, so none is asked for.
 */
export class CacheStorage {
  readonly #options: CacheStorageOptions;

  /** @internal */
  constructor(token: typeof internal, options: CacheStorageOptions) {
    if (token !== internal) illegalConstructor();
    this.#options = options;
  }

  /** The first response that matches in any cache, in the order in which they were made. https://w3c.github.io/ServiceWorker/#cache-storage-match */
  async match(request: RequestInfo, options?: MultiCacheQueryOptions): Promise<Response | undefined>;
  async match(...args: unknown[]): Promise<Response | undefined> {
    const context = CacheStorage.#begin(this, 'match', args, 1);
    const request = knownRequest(args[0], this.#options.url, `${context}: parameter 1`);
    const options = convertOptions(args[1], `${context}: parameter 2`);
    const { query, isMiss } = askedBy(request, options);
    return attempt(context, async () => {
      const store = await this.#options.store();
      const stored = isMiss || query === null ? undefined : store.match(query, options.cacheName);
      return stored && createResponse(stored);
    });
  }

  /** https://w3c.github.io/ServiceWorker/#cache-storage-has */
  async has(cacheName: string): Promise<boolean>;
  async has(...args: unknown[]): Promise<boolean> {
    const context = CacheStorage.#begin(this, 'has', args, 1);
    const name = DOMString(args[0], `${context}: parameter 1`);
    return attempt(context, async () => (await this.#options.store()).caches().has(name));
  }

  /** The cache of that name; made where there is none. https://w3c.github.io/ServiceWorker/#cache-storage-open */
  async open(cacheName: string): Promise<Cache>;
  async open(...args: unknown[]): Promise<Cache> {
    const context = CacheStorage.#begin(this, 'open', args, 1);
    const name = DOMString(args[0], `${context}: parameter 1`);
    const handle = await attempt(context, async () => (await this.#options.store()).open(name));
    return new Cache(internal, { url: this.#options.url, handle: () => this.#stillOpen(handle) });
  }

  /** Whoever has the cache open in this realm goes on with what it held. https://w3c.github.io/ServiceWorker/#cache-storage-delete */
  async delete(cacheName: string): Promise<boolean>;
  async delete(...args: unknown[]): Promise<boolean> {
    const context = CacheStorage.#begin(this, 'delete', args, 1);
    const name = DOMString(args[0], `${context}: parameter 1`);
    return attempt(context, async () => (await this.#options.store()).delete(name));
  }

  /** In the order in which they were made. https://w3c.github.io/ServiceWorker/#cache-storage-keys */
  async keys(): Promise<string[]> {
    const context = CacheStorage.#begin(this, 'keys', [], 0);
    return attempt(context, async () => [...(await this.#options.store()).caches().keys()]);
  }

  /** What is behind it, for who does something to all caches. @throws HoldfastError */
  static storeOf(caches: CacheStorage): Promise<CacheStore> {
    return caches.#options.store();
  }

  async #stillOpen(handle: CacheHandle): Promise<CacheHandle> {
    await this.#options.store();
    return handle;
  }

  static #begin(caches: CacheStorage, operation: string, args: readonly unknown[], required: number): string {
    if (!(#options in caches)) throw illegalInvocation('CacheStorage');
    requireArguments(args.length, required, 'CacheStorage', operation);
    return `Failed to execute '${operation}' on 'CacheStorage'`;
  }
}

defineInterface(CacheStorage, { name: 'CacheStorage', operations: { match: 1, has: 1, open: 1, delete: 1, keys: 0 } });

export const { storeOf } = CacheStorage;

/** The caches of one client. */
export function createCacheStorage(options: CacheStorageOptions): CacheStorage {
  return new CacheStorage(internal, options);
}
