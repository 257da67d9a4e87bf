import type { RealmConfig } from './config.ts';

/*
 * The realm's way to the tests' server. In a browser the tests' host names lead there; here requests to them are sent to
 * it by the runtime's own fetch, whose Responses they get, with their URLs, redirects and types as they come. What only a browser adds is added here:
 * a base URL, cookies, and what a page may see of another origin.
 */

type Dispatch = (options: { readonly origin: string | URL }, handler: unknown) => unknown;

/** Node's fetch keeps what sends its requests under one of these, the newest first. */
const dispatcherKeys = ['undici.globalDispatcher.2', 'undici.globalDispatcher.1'].map((key) => Symbol.for(key));
const baseKey = Symbol.for('undici.globalOrigin.1');

/** Has Node's fetch and Request take relative URLs below the realm's, and send what is for the tests' hosts to their server. */
export function connect(config: RealmConfig): void {
  void globalThis.Request;
  Object.defineProperty(globalThis, baseKey, { value: new URL(config.href), writable: true, enumerable: false, configurable: false });
  for (const key of dispatcherKeys) {
    const original = Reflect.get(globalThis, key) as { dispatch: Dispatch } | undefined;
    if (original === undefined) continue;
    const dispatch: Dispatch = (options, handler) =>
      original.dispatch(isOfTests(new URL(options.origin)) ? { ...options, origin: config.server } : options, handler);
    Reflect.set(globalThis, key, Object.assign(Object.create(original) as object, { dispatch }));
  }
}

function isOfTests({ hostname }: URL): boolean {
  return hostname === 'web-platform.test' || hostname.endsWith('.web-platform.test') || hostname === 'not-web-platform.test';
}

/** The runtime's fetch with what a browser does around it. */
export function browserFetch(config: RealmConfig, native: typeof fetch): typeof fetch {
  const { origin } = new URL(config.href);
  const cookies = new Map<string, string>();
  return async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    if (!isOfTests(url)) return native(input, init);
    const isSameOrigin = url.origin === origin;
    const hasCookies = request.credentials === 'include' || (request.credentials === 'same-origin' && isSameOrigin);
    if (hasCookies && cookies.size > 0) request.headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    const response = await native(request);
    if (hasCookies) response.headers.getSetCookie().forEach((line) => keepCookie(cookies, line));
    return isSameOrigin ? response : seenFromElsewhere(response, request.mode);
  };
}

function keepCookie(cookies: Map<string, string>, line: string): void {
  const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
  if (/;\s*max-age=0/i.test(line)) cookies.delete(name);
  else cookies.set(name, value);
}

/** https://fetch.spec.whatwg.org/#concept-filtered-response */
function seenFromElsewhere(response: Response, mode: Request['mode']): Response {
  if (mode === 'no-cors') {
    void response.body?.cancel();
    return withType(Response.error(), 'opaque');
  }
  if (response.headers.get('access-control-allow-origin') !== '*') throw new TypeError(`'${response.url}' may not be read here`);
  return withType(response, 'cors');
}

function withType(response: Response, type: Response['type']): Response {
  const clone = (): Response => withType(Response.prototype.clone.call(response), type);
  return Object.defineProperties(response, { type: { value: type, configurable: true }, clone: { value: clone, configurable: true } });
}
