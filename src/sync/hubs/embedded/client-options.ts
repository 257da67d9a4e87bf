import { isUrl } from '../../../runtime/brands.ts';
import { badOption, givenOptions } from '../option-checks.ts';
import { requireToken } from './server-options.ts';

/** What Node's `tls.connect` takes for these. */
export interface EmbeddedHubTls {
  /** Certificates to trust instead of the system's, in PEM. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined;
  /** The client's own certificate and key in PEM, for a proxy that asks for one. */
  readonly cert?: string | Uint8Array | undefined;
  readonly key?: string | Uint8Array | undefined;
  readonly servername?: string | undefined;
  readonly rejectUnauthorized?: boolean | undefined;
}

export interface EmbeddedHubOptions {
  /** Where `holdfast hub` listens, such as `https://hub.example:4080`; a path in front of a proxy may follow. */
  readonly url: string | URL;
  /** What its token file holds. Default: the environment variable `HOLDFAST_HUB_TOKEN`. */
  readonly token?: string | undefined;
  /** For `https:` urls. */
  readonly tls?: EmbeddedHubTls | undefined;
}

export interface CheckedOptions {
  readonly url: URL;
  readonly token: string;
  readonly tls: EmbeddedHubTls | undefined;
}

const TLS = ['ca', 'cert', 'key', 'servername', 'rejectUnauthorized'];

/** @throws HoldfastError `bad-option`; never with a token, nor with a url that holds one */
export function checkClientOptions(given: EmbeddedHubOptions): CheckedOptions {
  const options = givenOptions(given, ['url', 'token', 'tls'], 'embeddedHub');
  const url = checkUrl(options.url);
  const { tls, token = process.env['HOLDFAST_HUB_TOKEN'] } = options;
  if (token === undefined) throw badOption("Neither option 'token' nor the environment variable HOLDFAST_HUB_TOKEN is there.");
  requireToken(token);
  if (tls !== undefined && url.protocol !== 'https:') throw badOption("Option 'tls' is for urls that begin with https:.");
  return { url, token, tls: tls && givenOptions(tls, TLS, "Option 'tls'") };
}

function checkUrl(given: unknown): URL {
  const url = parse(given);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) throw badOption("Option 'url' must be a url that begins with http: or https:.");
  if (url.username !== '' || url.password !== '') throw badOption("Option 'url' may hold no user and no password; the hub has a token.");
  if (url.search !== '' || url.hash !== '') throw badOption("Option 'url' may have no query and no fragment.");
  return url;
}

function parse(given: unknown): URL | null {
  try {
    return isUrl(given) || typeof given === 'string' ? new URL(isUrl(given) ? given.href : given) : null;
  } catch {
    return null;
  }
}
