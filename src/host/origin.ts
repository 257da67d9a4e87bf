import { isUrl } from '../runtime/brands.ts';
import { HoldfastError } from '../runtime/holdfast-error.ts';
import { domException } from '../webidl/dom-exception.ts';

/** What every call that takes an origin accepts: its serialization, or any URL of it. */
export type OriginLike = string | URL;

function parseUrl(value: string): URL | undefined {
  try {
    return new URL(value);
  } catch {
    return undefined;
  }
}

/**
 * The serialization of a tuple origin (https://html.spec.whatwg.org/multipage/browsers.html#ascii-serialisation-of-an-origin),
 * which is the key of its storage: `HTTPS://App.Example:443/path` gives `https://app.example`.
 *
 * @throws DOMException SecurityError for an opaque origin (`null`, `file:`, `data:`) and any other that no page has
 * @throws HoldfastError bad-option for what is no URL
 */
export function parseOrigin(value: OriginLike): string {
  if (typeof value !== 'string' && !isUrl(value)) {
    throw new HoldfastError('bad-option', `An origin is a string or a URL, such as 'https://app.example', not ${typeof value}.`);
  }
  const text = typeof value === 'string' ? value : value.href;
  const url = parseUrl(text);
  if (url !== undefined && (url.protocol === 'https:' || url.protocol === 'http:')) return url.origin;
  if (url === undefined && text !== 'null') {
    throw new HoldfastError('bad-option', `'${text}' is not an origin; write it with its scheme, as in 'https://app.example'.`);
  }
  throw domException(
    'SecurityError',
    `'${text}' has an opaque origin, or one that no page has, and so no storage; use an http or https origin.`,
  );
}

/**
 * A client's URL: `value` resolved against the origin, `origin + '/'` by default.
 *
 * @throws HoldfastError bad-option for what is no URL
 * @throws DOMException SecurityError for a URL of another origin
 */
export function parseClientUrl(value: OriginLike | undefined, origin: string): string {
  if (value === undefined) return `${origin}/`;
  let url: URL;
  try {
    url = new URL(isUrl(value) ? value.href : value, origin);
  } catch (cause) {
    throw new HoldfastError('bad-option', `'${String(value)}' is not a URL.`, { cause });
  }
  if (url.origin === origin) return url.href;
  throw domException('SecurityError', `A client of '${origin}' cannot have the URL '${url.href}' of another origin.`);
}
