import { createHash, timingSafeEqual } from 'node:crypto';
import net from 'node:net';
import { hostHeader } from './access.ts';
import { plain, redirect } from './replies.ts';

type Handler = (request: Request) => Promise<Response>;

export interface GuardOptions {
  /** What the address that was printed has. */
  readonly token: string;
  /** What a browser that has shown it has from then on, and the cookie's name. */
  readonly session: string;
  readonly cookie: string;
  /** Names by which it may be called, beside addresses and `localhost`. */
  readonly names: readonly string[];
  readonly isSecure: boolean;
}

/**
 * Lets those through who have the token. A name that is not ours may have been made to point here by the page of another
 * site, which is then of our origin (DNS rebinding): it is refused, whatever it brings. An address cannot be.
 */
export function guarded(handler: Handler, options: GuardOptions): Handler {
  return async (request) => {
    if (!isOurs(hostHeader(request), options.names)) return plain(421, 'This is not the name of this server. holdfast inspect --name NAME allows one.');
    const url = new URL(request.url);
    const token = url.searchParams.get('token');
    if (token !== null && url.pathname === '/' && request.method === 'GET') {
      return isSame(token, options.token) ? redirect(303, './', { 'set-cookie': cookieOf(options) }) : refused();
    }
    return hasSession(request, options) ? handler(request) : refused();
  };
}

function refused(): Response {
  return plain(401, 'Open the whole address that holdfast inspect has printed: it has a token.');
}

function isOurs(host: string, names: readonly string[]): boolean {
  const name = host.replace(/:\d*$/, '').toLowerCase();
  return name === 'localhost' || net.isIP(name.replace(/^\[|\]$/g, '')) !== 0 || names.includes(name);
}

function cookieOf({ cookie, session, isSecure }: GuardOptions): string {
  return `${cookie}=${session}; Path=/; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
}

function hasSession(request: Request, { cookie, session }: GuardOptions): boolean {
  const cookies = (request.headers.get('cookie') ?? '').split(/;\s*/);
  return cookies.some((each) => each.startsWith(`${cookie}=`) && isSame(each.slice(cookie.length + 1), session));
}

/** Takes the same time whatever is the same of both. */
function isSame(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(text: string): Uint8Array {
  return createHash('sha256').update(text).digest();
}
