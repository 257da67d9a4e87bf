import { decodeName, encodeName } from './name.ts';

const TUPLE = /^([a-z][a-z0-9+.-]*):\/\/(.*?)(?::([0-9]+))?$/s;

/**
 * Encodes the serialization of an origin as one path component, injectively: `https://a.example:8443` becomes
 * `https_a.example_8443`. Always safe on volumes that fold case. For a host of more than about 240 characters the
 * component holds a hash, and only `origin.json` has the origin itself.
 *
 * https://html.spec.whatwg.org/#ascii-serialisation-of-an-origin
 */
export function encodeOrigin(origin: string): string {
  const [, scheme, host, port] = TUPLE.exec(origin) ?? [];
  const parts = scheme === undefined || host === undefined ? [origin] : [scheme, host, port];
  return encodeName(parts.filter((part) => part !== undefined).map(quoteJoint).join('_'), true).component;
}

/** The origin that has this component; null for a foreign directory and for a host too long to be read back. */
export function decodeOrigin(component: string): string | null {
  const decoded = decodeName(component, true);
  if (decoded === null || !('name' in decoded)) return null;
  const [scheme = '', host, port] = decoded.name.split('_').map(unquoteJoint);
  const origin = scheme + (host === undefined ? '' : `://${host}`) + (port === undefined ? '' : `:${port}`);
  return encodeOrigin(origin) === component ? origin : null;
}

function quoteJoint(part: string): string {
  return part.replace(/[=_]/g, (character) => (character === '_' ? '=u' : '=='));
}

function unquoteJoint(part: string): string {
  return part.replace(/==|=u/g, (quoted) => (quoted === '=u' ? '_' : '='));
}
