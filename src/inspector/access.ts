import { Refused } from './failure.ts';

/**
 * Whether a request is this page's own. A page of another site can have a browser send requests here, with cookies if
 * they are not strict; but not without these headers, which no script can set, and not with this type of content, for
 * which a browser asks first. So may a page whose name was made to point here (DNS rebinding): its `Host` is not ours.
 *
 * @throws Refused
 */
export function requireOwnPage(request: Request): void {
  const { headers } = request;
  const site = headers.get('sec-fetch-site');
  if (site !== null && site !== 'same-origin' && site !== 'none') throw foreign();
  // Where a browser says no more than this, a proxy must have left the host as it was.
  const origin = headers.get('origin');
  if (site === null && origin !== null && hostOf(origin) !== hostHeader(request)) throw foreign();
  if (request.method === 'POST' && headers.get('content-type') !== 'application/json') throw new Refused(415, 'bad-request', 'A request carries application/json.');
  if (request.method === 'PUT' && headers.get('content-type') !== 'application/octet-stream') throw new Refused(415, 'bad-request', 'An upload is application/octet-stream.');
}

function foreign(): Refused {
  return new Refused(403, 'foreign-page', 'This request comes from the page of another site.');
}

function hostOf(origin: string): string | null {
  try {
    return new URL(origin).host;
  } catch {
    return null;
  }
}

/** With its port, unless that is the scheme's own. */
export function hostHeader(request: Request): string {
  const { host } = new URL(request.url);
  const given = request.headers.get('host');
  return given === null ? host : (hostOf(`${new URL(request.url).protocol}//${given}`) ?? given);
}
