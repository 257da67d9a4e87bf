import type { Incarnation } from '../../disk/replica/incarnation.ts';
import type { Surroundings } from './surroundings.ts';

const BYTES = 16;
const CLOCK_BYTES = 6;

/** A version 7 UUID: the time, then 74 random bits. https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7 */
export function mintIncarnation({ now, randomBytes }: Pick<Surroundings, 'now' | 'randomBytes'>): Incarnation {
  const bytes = Uint8Array.from(randomBytes(BYTES));
  const view = new DataView(bytes.buffer);
  const time = Math.min(Math.max(0, Math.floor(now())), 2 ** (8 * CLOCK_BYTES) - 1);
  view.setUint32(0, Math.floor(time / 2 ** 16));
  view.setUint16(4, time % 2 ** 16);
  view.setUint8(6, (view.getUint8(6) & 0x0f) | 0x70);
  view.setUint8(8, (view.getUint8(8) & 0x3f) | 0x80);
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** Whether the first was minted later, as far as the clocks of both were right. */
export function isLater(incarnation: Incarnation, other: Incarnation): boolean {
  return incarnation > other;
}
