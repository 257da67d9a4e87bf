/** Names in lower case, each once, with its combined value. https://fetch.spec.whatwg.org/#concept-header-list */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** What a response is asked for by. https://w3c.github.io/ServiceWorker/#dfn-request-matches-cached-item */
export interface CacheQuery {
  /** The URL without its fragment. */
  readonly url: string;
  readonly headers: HeaderList;
  readonly ignoreSearch: boolean;
  readonly ignoreVary: boolean;
}

/** One request of a cache, and where its response is. https://w3c.github.io/ServiceWorker/#dfn-request-response-list */
export interface CacheEntry {
  /** The request's URL without its fragment. */
  readonly url: string;
  /** With its `#`; empty where there is none. */
  readonly fragment: string;
  readonly headers: HeaderList;
  /** The response's Vary header; null where it has none. */
  readonly vary: string | null;
  /** The name of the response's file. */
  readonly file: string;
  /** Bytes of that file's content. */
  readonly size: number;
}

/** The URL without its query: what `ignoreSearch` compares. */
export function withoutSearch(url: string): string {
  const search = url.indexOf('?');
  return search === -1 ? url : url.slice(0, search);
}

/** Whether the headers that the stored response varies by are the same in both requests. */
export function hasSameVaried(entry: Pick<CacheEntry, 'vary' | 'headers'>, headers: HeaderList): boolean {
  return entry.vary === null || fieldsOf(entry.vary).every((name) => name !== '*' && valueOf(entry.headers, name) === valueOf(headers, name));
}

/** The names in a Vary header. https://httpwg.org/specs/rfc9110.html#field.vary */
export function fieldsOf(vary: string): string[] {
  return vary.split(',').map((name) => name.trim().toLowerCase()).filter((name) => name !== '');
}

function valueOf(headers: HeaderList, name: string): string | undefined {
  return headers.find(([each]) => each === name)?.[1];
}
