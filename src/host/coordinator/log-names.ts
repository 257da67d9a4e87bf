import { createHash } from 'node:crypto';
import type { CoordinatorKey } from '../../coordinator/store.ts';

/** Of a log, in code units. */
const LONGEST_LOG_NAME = 512;

/** The log of one coordinator: no two have one, and its name begins with that of the origin, which a token may be bound to. */
export function logNameOf({ origin, className, name }: CoordinatorKey): string {
  const plain = `${origin} coordinator ${className}=${name}`;
  if (plain.length <= LONGEST_LOG_NAME) return plain;
  return `${origin} coordinator ${className}#${createHash('sha256').update(name, 'utf16le').digest('hex')}`;
}

/** The log of which coordinators there are of an origin; a token for the origin is for it too. */
export function registerNameOf(origin: string): string {
  return `${origin} coordinators`;
}
