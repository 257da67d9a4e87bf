const DIGITS = '0123456789abcdefghijklmnopqrstuv';

const VALUES = new Map([...DIGITS].map((digit, value) => [digit, value]));

/**
 * Lower-case digits of five bits each, the highest first, without padding: volumes that fold case keep them apart.
 * https://www.rfc-editor.org/rfc/rfc4648#section-7
 */
export function toBase32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let pending = 0;
  for (const byte of bytes) {
    pending = ((pending & 0x1f) << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += DIGITS.charAt((pending >>> (bits - 5)) & 0x1f);
  }
  return bits === 0 ? text : text + DIGITS.charAt((pending << (5 - bits)) & 0x1f);
}

/** Null for what {@link toBase32} does not write. */
export function fromBase32(text: string): Uint8Array | null {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8));
  let filled = 0;
  let bits = 0;
  let pending = 0;
  for (const digit of text) {
    const value = VALUES.get(digit);
    if (value === undefined) return null;
    pending = ((pending & 0xff) << 5) | value;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[filled++] = pending >>> bits;
  }
  return toBase32(bytes) === text ? bytes : null;
}
