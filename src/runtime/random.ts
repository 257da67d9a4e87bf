import fs from 'node:fs';
import { runtime } from './runtime.ts';

/** Where the system gives random bytes. */
const DEVICE = '/dev/urandom';

/** On Node loading `crypto` costs a start milliseconds, asking the system a few microseconds each time. */
const ASKED_OF_SYSTEM = runtime === 'node' ? 16 : 0;

let asked = 0;

/**
 * Random bytes that nobody can guess and no other realm gets. Not from `Math.random()`: where a program fixes its seed
 * (`--random-seed`), all of its processes and threads would get the same.
 */
export function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  if (asked < ASKED_OF_SYSTEM) {
    asked += 1;
    if (fillFromSystem(bytes)) return bytes;
  }
  // On Node the global `crypto` takes ten times as long to load, and is what tests replace.
  if (runtime === 'node') return process.getBuiltinModule('node:crypto').randomFillSync(bytes);
  // eslint-disable-next-line no-restricted-globals -- there it costs nothing
  return crypto.getRandomValues(bytes);
}

/** False where there is no such device, or it cannot be had now. */
function fillFromSystem(bytes: Uint8Array): boolean {
  try {
    const descriptor = fs.openSync(DEVICE, 'r');
    try {
      return fs.readSync(descriptor, bytes) === bytes.length;
    } finally {
      fs.closeSync(descriptor);
    }
  } catch {
    return false;
  }
}

/** An integer in [1, 2^53). */
export function randomInteger(): number {
  const bytes = randomBytes(7);
  let integer = (bytes[6] ?? 0) % 32;
  for (let index = 0; index < 6; index++) integer = integer * 256 + (bytes[index] ?? 0);
  return integer || 1;
}

/** A UUID of version 4. https://www.rfc-editor.org/rfc/rfc9562#section-5.4 */
export function randomUuid(): string {
  const bytes = randomBytes(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
