import { createHash } from 'node:crypto';

/** A digest that no two names share. Of UTF-16, for in UTF-8 all lone surrogates are the same. */
export function logDigest(name: string): Buffer {
  return createHash('sha256').update(Buffer.from(name, 'utf16le')).digest();
}

/**
 * A name as quoted text of printable ASCII, for people and messages: engines take neither U+0000 nor lone surrogates.
 * Names that differ give texts that differ.
 */
export function logLabel(name: string): string {
  return JSON.stringify(name).replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
