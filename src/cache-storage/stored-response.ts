import type { HeaderList } from '../disk/caches/entry.ts';
import { responseTypes, type ResponseHead } from '../disk/caches/response-head.ts';
import type { DiskBody, StoredResponse } from '../disk/caches/response-files.ts';
import { has, isObject } from '../runtime/brands.ts';
import { define } from '../runtime/define.ts';
import { openRange, type OpenRange } from '../runtime/disk-range.ts';
import { headerList } from './request-info.ts';
import { giveWhole } from './whole-body.ts';

/** Of this realm or another. https://fetch.spec.whatwg.org/#response-class */
export function isResponse(value: unknown): value is Response {
  return isObject(value) && has(value, 'number', 'status') && has(value, 'function', 'clone', 'arrayBuffer') && isObject((value as { readonly headers?: unknown }).headers);
}

/** https://fetch.spec.whatwg.org/#forbidden-response-header-name: what browsers show to nobody. */
const forbidden = new Set(['set-cookie', 'set-cookie2']);

/** What a response is beside its body. */
export function headOf(response: Response): ResponseHead {
  const { status, statusText, url, redirected } = response;
  const type = responseTypes.find((each) => each === response.type) ?? 'default';
  const headers = headerList(response.headers).filter(([name]) => !forbidden.has(name));
  // Not every runtime has a null where a Response was made of nothing.
  return { type, status, statusText, url: url ?? '', redirected: redirected === true, headers, hasBody: (response.body ?? null) !== null };
}

/** https://httpwg.org/specs/rfc9110.html#field.vary; null where there is none. */
export function varyOf({ headers }: { readonly headers: HeaderList }): string | null {
  return headers.find(([name]) => name === 'vary')?.[1] ?? null;
}

/** https://fetch.spec.whatwg.org/#null-body-status */
const withoutBody = new Set([204, 205, 304]);

/** A new Response of the runtime's own class, as the stored one was. */
export function createResponse({ head, body }: StoredResponse): Response {
  if (!('descriptor' in body)) return made(head, body as Uint8Array<ArrayBuffer>);
  const range = rangeOf(body, head);
  const response = made(head, range.stream);
  return response.body === range.stream ? giveWhole(response, range) : response;
}

function made(head: ResponseHead, body: ReadableStream | Uint8Array<ArrayBuffer>): Response {
  const { status, statusText, headers } = head;
  if (status === 0) return disguise(Response.error(), head);
  const hasBody = head.hasBody && !withoutBody.has(status);
  return disguise(new Response(hasBody ? body : null, { status, statusText, headers: headers as [string, string][] }), head);
}

function rangeOf({ path, descriptor, state, start, size, sealed }: DiskBody, { url }: ResponseHead): OpenRange {
  const file = { path, name: url === '' ? 'a response' : url, since: 'it was found in its cache', state, ...(sealed && { sealed }) };
  return openRange({ file, start, end: size }, descriptor);
}

/** Has it tell what no constructor takes; its clones too. */
function disguise(response: Response, head: ResponseHead): Response {
  const { type, url, redirected } = head;
  const told = Object.entries({ type, url, redirected }).filter(([name, value]) => response[name as keyof Response] !== value);
  if (told.length === 0) return response;
  for (const [name, value] of told) define(response, name, { value, configurable: true });
  const clone = (): Response => disguise(Response.prototype.clone.call(response), head);
  return define(response, 'clone', { value: clone, writable: true, configurable: true });
}
