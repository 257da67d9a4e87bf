import type { CacheQuery, HeaderList } from '../disk/caches/entry.ts';
import { has, isObject } from '../runtime/brands.ts';
import { USVString } from '../webidl/conversions.ts';

/** https://fetch.spec.whatwg.org/#requestinfo: a Request of this or another realm, or a URL. */
export type RequestInfo = Request | string | URL;

/** What a cache knows of a request. */
export interface KnownRequest {
  /** As it was given: what is fetched. */
  readonly given: Request | string;
  readonly method: string;
  /** Without its fragment. */
  readonly url: string;
  /** With its `#`; empty where there is none. */
  readonly fragment: string;
  readonly headers: HeaderList;
}

/** https://w3c.github.io/ServiceWorker/#dictdef-cachequeryoptions */
export interface CacheQueryOptions {
  /** Whether the query of the URLs is left out of account. Default false. */
  readonly ignoreSearch?: boolean | undefined;
  /** Whether requests with another method than GET find what a GET would. Default false. */
  readonly ignoreMethod?: boolean | undefined;
  /** Whether headers that a response varies by are left out of account. Default false. */
  readonly ignoreVary?: boolean | undefined;
}

/** https://fetch.spec.whatwg.org/#request-class */
function isRequest(value: unknown): value is Request {
  return isObject(value) && has(value, 'string', 'url', 'method') && isHeaders((value as { readonly headers?: unknown }).headers);
}

function isHeaders(value: unknown): value is Headers {
  return isObject(value) && has(value, 'function', 'get', 'forEach');
}

/**
 * A request, or what a URL asks for. Relative URLs are taken as the runtime does, where it has a base for them, else below
 * `base`.
 *
 * @throws TypeError
 */
export function knownRequest(value: unknown, base: string, context: string): KnownRequest {
  if (isRequest(value)) return { given: value, method: value.method, headers: headerList(value.headers), ...partsOf(new URL(value.url)) };
  const url = parseUrl(USVString(value, context), base, context);
  if (url.username !== '' || url.password !== '') throw new TypeError(`${context} is a URL with credentials.`);
  return { given: url.href, method: 'GET', headers: [], ...partsOf(url) };
}

function partsOf(url: URL): Pick<KnownRequest, 'url' | 'fragment'> {
  const { href, hash } = url;
  // An empty fragment has no hash, but its sign.
  const at = hash === '' && !href.endsWith('#') ? href.length : href.indexOf('#');
  return { url: href.slice(0, at), fragment: href.slice(at) };
}

function parseUrl(text: string, base: string, context: string): URL {
  if (URL.canParse(text)) return new URL(text);
  const known = underOwnBase(text);
  if (known !== null) return new URL(known);
  if (!URL.canParse(text, base)) throw new TypeError(`${context} is not a valid URL: '${text}'.`);
  return new URL(text, base);
}

/** Deno's `location` is one, and what a program has told Node's fetch. */
function underOwnBase(text: string): string | null {
  try {
    return new Request(text).url;
  } catch {
    return null;
  }
}

/** Names in lower case, combined values. https://fetch.spec.whatwg.org/#concept-header-list-sort-and-combine */
export function headerList(headers: Headers): HeaderList {
  const list = new Map<string, string>();
  headers.forEach((value, name) => {
    const key = name.toLowerCase();
    const known = list.get(key);
    list.set(key, known === undefined ? value : `${known}, ${value}`);
  });
  return [...list];
}

/** https://fetch.spec.whatwg.org/#http-scheme */
export function isHttp({ url }: Pick<KnownRequest, 'url'>): boolean {
  return /^https?:/.test(url);
}

/** What finds the entries of a request. */
export function queryOf({ url, headers }: KnownRequest, { ignoreSearch = false, ignoreVary = false }: CacheQueryOptions): CacheQuery {
  return { url, headers, ignoreSearch, ignoreVary };
}
