import type { Entry } from '../entry.ts';
import { webError } from '../errors.ts';

/**
 * A keyed hash, so that an id tells its reader nothing and cannot be guessed, and the same place has the same id in
 * every realm, for as long as the root lives.
 */
function hash({ system, kind, locator }: Entry): string {
  const text = JSON.stringify([system.origin, system.bucket, kind, locator]);
  // Loaded here, since few programs ask for ids and it takes milliseconds.
  const { createHmac } = process.getBuiltinModule('node:crypto');
  return createHmac('sha256', system.salt).update(text).digest('hex');
}

/** The form of a version 4 UUID (https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-4) filled with a hash. */
function asUuid(hex: string): string {
  const variant = '89ab'[Number.parseInt(hex.charAt(16), 16) & 3];
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `${variant}${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-');
}

/** https://github.com/whatwg/fs/blob/main/proposals/UniqueId.md */
export async function uniqueId(entry: Entry, context: string): Promise<string> {
  entry.system.requireOpen(context);
  try {
    return asUuid(hash(entry));
  } catch (error) {
    throw webError(error, context); // the root, and its secret with it, cannot be made
  }
}
