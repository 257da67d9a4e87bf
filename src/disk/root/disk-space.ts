import fs from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { randomBytes } from '../../runtime/random.ts';
import { warn } from '../../runtime/warning.ts';
import { systemCode } from '../journal/disk-error.ts';
import type { Space } from '../journal/space.ts';
import { nearestExisting } from './volume.ts';

/*
 * Invariants
 * - What adds data, to a map or to files, is refused while less than the floor is free, so that a root never fills its
 *   disk by itself; what takes data away, and locks, may have all there is.
 * - The reserve is for disks that somebody else has filled. Its pieces are whole blocks, written, not sparse. Whoever
 *   needs one deletes it; so none is given up twice, and one that was cut short does no harm.
 * - Nothing here fails what it is for: where the disk cannot be asked, everything is admitted.
 */

/** The floor: bytes, or a part of a smaller disk; and a part of the places for files that a disk has. */
const FLOOR_BYTES = 2 ** 27;
const FLOOR_PART = 20;
const FLOOR_PART_OF_ENTRIES = 80;

const PIECES = 8;
const PIECE_BYTES = 32 * 1024;

/** Of what is free above the floor, this part may be written before the disk is asked again: others write too. */
const CREDIT_PART = 16;
const LARGEST_CREDIT = 2 ** 20;

/** The space of one root's disk, and the root's reserve on it. Asking costs a subtraction, and now and then a statfs(2). */
export class DiskSpace implements Space {
  readonly #root: string;
  readonly #reserve: string;
  /** Bytes that may be written before the disk is asked again. */
  #credit = 0;
  /** Whether the reserve was whole when this realm looked last. */
  #isWhole = false;
  /** Whether that the disk is nearly full was told. */
  #warned = false;

  /** Does no I/O. */
  constructor(root: string) {
    this.#root = root;
    this.#reserve = path.join(root, 'holdfast.reserve');
  }

  left(forFiles: boolean): number {
    try {
      const { bavail, blocks, bsize, files, ffree } = fs.statfsSync(nearestExisting(this.#root));
      // A disk that makes places for files as they are needed says that it has none.
      if (forFiles && ffree < files / FLOOR_PART_OF_ENTRIES) return 0;
      return blocks > 0 ? bavail * bsize - Math.min(FLOOR_BYTES, (blocks * bsize) / FLOOR_PART) : Infinity;
    } catch {
      return Infinity;
    }
  }

  hasRoom(bytes: number, spare: number): boolean {
    this.#credit -= bytes;
    return this.#credit >= 0 || this.#ask(bytes + spare);
  }

  #ask(needed: number): boolean {
    const left = this.left(false) - needed;
    this.#credit = Math.max(0, Math.min(left / CREDIT_PART, LARGEST_CREDIT));
    if (left < 0) return false;
    this.#warned = false;
    if (!this.#isWhole && left > 2 * PIECES * PIECE_BYTES) this.replenish();
    return true;
  }

  refusal(): HoldfastError {
    const message = `The disk of ${this.#root} is full, but for a reserve for removals.`;
    if (!this.#warned) warn({ code: 'disk-reserve', message, path: this.#root });
    this.#warned = true;
    return new HoldfastError('disk-full', message);
  }

  giveUp(): boolean {
    this.#isWhole = false;
    this.#credit = 0;
    for (let piece = PIECES - 1; piece >= 0; piece--) {
      try {
        fs.unlinkSync(this.#piece(piece));
        return true;
      } catch {
        // It is not there, or cannot be removed.
      }
    }
    return false;
  }

  replenish(): void {
    try {
      const present = new Set(this.#present());
      for (let piece = 0; piece < PIECES; piece++) if (!present.has(String(piece))) this.#make(piece);
      this.#isWhole = true;
    } catch {
      // There is no room yet: the next time that the disk is asked.
    }
  }

  /** The names of the pieces that are there: every process looks once, and hardly any finds one missing. */
  #present(): string[] {
    try {
      return fs.readdirSync(this.#reserve);
    } catch {
      return [];
    }
  }

  #make(piece: number): void {
    try {
      fs.writeFileSync(this.#piece(piece), filling(), { flag: 'wx', mode: 0o600 });
    } catch (error) {
      if (systemCode(error) === 'EEXIST') return;
      if (systemCode(error) !== 'ENOENT') return this.#unmake(piece, error);
      // Only in a root that is there: one that was deleted must not come back as a directory with nothing but this.
      fs.mkdirSync(this.#reserve, { mode: 0o700 });
      this.#make(piece);
    }
  }

  /** What the disk took only in part. */
  #unmake(piece: number, error: unknown): never {
    fs.rmSync(this.#piece(piece), { force: true });
    throw error;
  }

  #piece(piece: number): string {
    return path.join(this.#reserve, String(piece));
  }
}

/** Bytes that no disk can compress. */
function filling(): Uint8Array {
  return randomBytes(PIECE_BYTES);
}
