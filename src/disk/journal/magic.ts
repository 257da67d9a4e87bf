import { randomBytes } from '../../runtime/random.ts';

export const MAGIC_BYTES = 16;

/** Horspool's table of the magic that was looked for last: how far a search may jump on seeing a byte under its last position. */
const jumps = new Uint8Array(256);
let prepared: Uint8Array | undefined;

/**
 * The 16 bytes that start every frame of one generation, and occur nowhere else in it.
 *
 * They are unbordered: no proper prefix equals a suffix. So two occurrences never overlap, and neither a frame cut
 * short nor the seam between two frames can form one by accident.
 */
export class Magic {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  static random(): Magic {
    for (;;) {
      const bytes = randomBytes(MAGIC_BYTES);
      if (isMagic(bytes)) return new Magic(bytes);
    }
  }

  /** As 32 hexadecimal digits. */
  get name(): string {
    return Array.from(this.bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  equals(other: Magic): boolean {
    return other.isAt(this.bytes, 0);
  }

  isAt(bytes: Uint8Array, at: number): boolean {
    const magic = this.bytes;
    for (let index = 0; index < MAGIC_BYTES; index++) if (bytes[at + index] !== magic[index]) return false;
    return true;
  }

  /** The first occurrence that lies wholly in `bytes[from, to)`, or -1. */
  find(bytes: Uint8Array, from: number, to: number): number {
    const last = MAGIC_BYTES - 1;
    if (prepared !== this.bytes) {
      prepared = this.bytes;
      jumps.fill(MAGIC_BYTES);
      for (let index = 0; index < last; index++) jumps[prepared[index] ?? 0] = last - index;
    }
    for (let end = from + last; end < to; end += jumps[bytes[end] ?? 0] ?? 1) {
      if (this.isAt(bytes, end - last)) return end - last;
    }
    return -1;
  }
}

/** Whether these bytes may serve as a magic: no zero among them, and no proper prefix that equals a suffix. */
export function isMagic(bytes: Uint8Array): boolean {
  if (bytes.includes(0)) return false;
  for (let length = 1; length < bytes.length; length++) {
    const start = bytes.length - length;
    let same = 0;
    while (same < length && bytes[same] === bytes[start + same]) same++;
    if (same === length) return false;
  }
  return true;
}
