import { hasSameVaried, withoutSearch, type CacheEntry, type CacheQuery } from './entry.ts';

/** About what an entry takes in a snapshot besides its strings. */
const ENTRY_BYTES = 12;

type Bucket = CacheEntry | readonly CacheEntry[];

/**
 * The request response list of one cache. Invariants:
 * - `#entries` is the list, in the order in which they came; the other two find entries of it by their URLs;
 * - what is looked for by a URL costs as much as there are entries of that URL, however many others there are;
 * - `#bySearchless` is there once somebody has ignored the search.
 *
 * https://w3c.github.io/ServiceWorker/#dfn-request-response-list
 */
export class CacheList {
  /** No other cache of the bucket has had it. */
  readonly id: number;
  readonly name: string;
  readonly #entries = new Set<CacheEntry>();
  readonly #byUrl = new Map<string, Bucket>();
  #bySearchless: Map<string, Set<CacheEntry>> | null = null;
  #weight = 0;

  constructor(id: number, name: string) {
    this.id = id;
    this.name = name;
  }

  /** About how many bytes it takes in a snapshot. */
  get weight(): number {
    return this.#weight;
  }

  get size(): number {
    return this.#entries.size;
  }

  [Symbol.iterator](): IterableIterator<CacheEntry> {
    return this.#entries.values();
  }

  /** The entries that match, in their order. https://w3c.github.io/ServiceWorker/#query-cache-algorithm */
  find(query: CacheQuery): CacheEntry[] {
    const sameUrl = query.ignoreSearch ? [...(this.#searchless().get(withoutSearch(query.url)) ?? [])] : this.#ofUrl(query.url);
    return query.ignoreVary ? [...sameUrl] : sameUrl.filter((entry) => hasSameVaried(entry, query.headers));
  }

  /** Adds an entry; those that its request matches go, and are returned. https://w3c.github.io/ServiceWorker/#batch-cache-operations-algorithm */
  put(entry: CacheEntry): CacheEntry[] {
    const replaced = this.remove({ url: entry.url, headers: entry.headers, ignoreSearch: false, ignoreVary: false });
    this.add(entry);
    return replaced;
  }

  /** Adds an entry beside all others. */
  add(entry: CacheEntry): void {
    this.#entries.add(entry);
    this.#weight += weightOf(entry);
    const bucket = this.#ofUrl(entry.url);
    this.#byUrl.set(entry.url, bucket.length === 0 ? entry : [...bucket, entry]);
    if (this.#bySearchless !== null) addTo(this.#bySearchless, entry);
  }

  /** Removes the entries that match, and returns them. */
  remove(query: CacheQuery): CacheEntry[] {
    const found = this.find(query);
    for (const entry of found) this.#drop(entry);
    return found;
  }

  #drop(entry: CacheEntry): void {
    this.#entries.delete(entry);
    this.#weight -= weightOf(entry);
    const rest = this.#ofUrl(entry.url).filter((each) => each !== entry);
    const [first] = rest;
    if (first === undefined) this.#byUrl.delete(entry.url);
    else this.#byUrl.set(entry.url, rest.length === 1 ? first : rest);
    this.#bySearchless?.get(withoutSearch(entry.url))?.delete(entry);
  }

  #ofUrl(url: string): readonly CacheEntry[] {
    const bucket = this.#byUrl.get(url);
    if (bucket === undefined) return [];
    return 'url' in bucket ? [bucket] : bucket;
  }

  #searchless(): Map<string, Set<CacheEntry>> {
    if (this.#bySearchless === null) {
      this.#bySearchless = new Map();
      for (const entry of this.#entries) addTo(this.#bySearchless, entry);
    }
    return this.#bySearchless;
  }
}

function addTo(index: Map<string, Set<CacheEntry>>, entry: CacheEntry): void {
  const key = withoutSearch(entry.url);
  const bucket = index.get(key);
  if (bucket === undefined) index.set(key, new Set([entry]));
  else bucket.add(entry);
}

function weightOf({ url, fragment, headers, vary, file }: CacheEntry): number {
  let bytes = ENTRY_BYTES + url.length + fragment.length + (vary?.length ?? 0) + file.length;
  for (const [name, value] of headers) bytes += name.length + value.length + 2;
  return bytes;
}
