import type { CacheHandle, CachePut } from '../disk/caches/cache-handle.ts';
import { fieldsOf, hasSameVaried } from '../disk/caches/entry.ts';
import { domException } from '../webidl/dom-exception.ts';
import { BodyFailure } from './errors.ts';
import { isHttp, type KnownRequest } from './request-info.ts';
import { storeBody } from './store-body.ts';
import { headOf, isResponse, varyOf } from './stored-response.ts';

/**
 * Fetches all of the requests and puts all of the responses, or none: the first that fails ends the others.
 * https://w3c.github.io/ServiceWorker/#cache-addAll
 */
export async function addAll(handle: CacheHandle, requests: readonly KnownRequest[], context: string): Promise<void> {
  requireDistinct(requests, context);
  const ending = new AbortController();
  const stored = requests.map((request) => fetchOne(handle, request, ending.signal, context));
  const discard = (): void => void Promise.allSettled(stored).then((all) => all.forEach((each) => each.status === 'fulfilled' && each.value.draft.discard()));
  try {
    const puts = await Promise.all(stored);
    requireDifferent(puts, context);
    handle.put(puts);
  } catch (error) {
    ending.abort(error);
    discard();
    throw error;
  }
}

async function fetchOne(handle: CacheHandle, request: KnownRequest, ending: AbortSignal, context: string): Promise<CachePut> {
  const { given } = request;
  const own = typeof given === 'string' ? undefined : given.signal;
  const signal = (own ?? null) === null ? ending : AbortSignal.any([own as AbortSignal, ending]);
  const response = await fetched(given, signal);
  if (!isResponse(response)) throw new TypeError(`${context}: fetch() gave no Response for '${request.url}'.`);
  const head = headOf(response);
  const isFit = head.type !== 'error' && response.ok && head.status !== 206;
  if (!isFit || variesByAll(head.headers)) {
    void response.body?.cancel().catch(() => undefined);
    throw new TypeError(`${context}: the response for '${request.url}' cannot be stored (${isFit ? 'it varies by everything' : `status ${head.status}`}).`);
  }
  return storeBody(handle, request, { head, reader: response.body?.getReader() ?? null });
}

/** By the fetch that the program has now. What it fails with is its own. */
async function fetched(given: Request | string, signal: AbortSignal): Promise<unknown> {
  try {
    return await globalThis.fetch(given, { signal });
  } catch (error) {
    throw new BodyFailure(error);
  }
}

/** `Vary: *`: no request could ever find it again. */
export function variesByAll(headers: Parameters<typeof varyOf>[0]['headers']): boolean {
  return fieldsOf(varyOf({ headers }) ?? '').includes('*');
}

/** Two requests that are the same in all that could tell them apart: no response needs to be waited for. */
function requireDistinct(requests: readonly KnownRequest[], context: string): void {
  const seen = new Set<string>();
  for (const { url, headers } of requests) {
    const key = JSON.stringify([url, [...headers].sort()]);
    if (seen.has(key)) throw inTheWay(url, context);
    seen.add(key);
  }
}

function inTheWay(url: string, context: string): DOMException {
  return domException('InvalidStateError', `${context}: two of the requests, for '${url}', would take each other's place.`);
}

/**
 * No response may take the place of another of the same call. The standard looks for each among those before it; so do
 * others for it here, as browsers do.
 *
 * @throws DOMException InvalidStateError
 */
function requireDifferent(puts: readonly CachePut[], context: string): void {
  const byUrl = new Map<string, CachePut[]>();
  for (const put of puts) {
    const before = byUrl.get(put.url) ?? [];
    if (before.some((other) => hasSameVaried(other, put.headers) || hasSameVaried(put, other.headers))) {
      throw inTheWay(put.url, context);
    }
    byUrl.set(put.url, [...before, put]);
  }
}

/** https://w3c.github.io/ServiceWorker/#cache-put: what may be stored. @throws TypeError */
export function requireStorable(request: KnownRequest, context: string): void {
  if (!isHttp(request)) throw new TypeError(`${context}: only http(s) URLs can be stored, not '${request.url}'.`);
  if (request.method !== 'GET') throw new TypeError(`${context}: only GET requests can be stored, not ${request.method}.`);
}
