import fs from 'node:fs';
import { getInt32 } from './bytes.ts';
import { decodeFrame, Frame, HEADER_BYTES, TRAILER_BYTES } from './frame.ts';
import { MAGIC_BYTES, type Magic } from './magic.ts';

/*
 * Invariants
 * - Bytes below the size that a read has shown are final; only the end of the file moves.
 * - Bytes that form no complete frame are dead if a complete frame starts anywhere after them; until one does, they
 *   are not there yet. Appends are serialized, so a later frame proves that the write of the earlier bytes has ended.
 *   The verdict depends on the file's bytes alone, never on when it is made or on how they were read.
 * - Parsing goes on at the next magic, never at a length that a bad frame claims.
 * - A file that was cut back, be it to grow again, has another frame's end, or none, where one was passed. That is
 *   looked at where dead bytes follow the last frame, and whenever somebody asks, there and at the place of the last
 *   look; until then what the file has lost is not noticed.
 * - What is held in memory is never more than the file has, nor much more than the longest frame.
 */

const CHUNK = 64 * 1024;

/** Shared by all readers of this realm between the first byte read and the last one parsed; such runs do not nest. */
const sharedWindow = new Uint8Array(CHUNK);

const trailer = new Uint8Array(TRAILER_BYTES);

/** Reads the frames of one open file, from a position on, as they come. */
export class FrameReader {
  readonly #descriptor: number;
  readonly #magic: Magic;
  /** `#window[#from, #to)` holds the bytes that were seen and neither parsed nor ruled out. */
  #window: Uint8Array = sharedWindow;
  #from = 0;
  #to = 0;
  /** The offset in the file that `#to` stands for. */
  #seen: number;
  #position: number;
  #before: number;
  #reachedEnd = false;
  #damage = 0;
  /** The checksum at the end of the last complete frame; null: it was not seen. */
  #mark: number | null;
  /** The same at the place of the last look. */
  #anchorPosition: number;
  #anchorMark: number | null;
  #wasCutBack = false;
  /** The frame that {@link next} found; valid until the next call. */
  readonly frame = new Frame();

  /** `position` must be where a frame, or dead bytes, begin; `mark` is that of the reader that came so far. */
  constructor(descriptor: number, magic: Magic, position: number, mark: number | null = null) {
    this.#descriptor = descriptor;
    this.#magic = magic;
    this.#position = position;
    this.#before = position;
    this.#seen = position;
    this.#anchorPosition = position;
    this.#anchorMark = this.#mark = mark;
  }

  get mark(): number | null {
    return this.#mark;
  }

  /** Whether dead bytes turned out to be others than were read before. Nothing more is found then. */
  get wasCutBack(): boolean {
    return this.#wasCutBack;
  }

  /** Where the last complete frame ended. */
  get position(): number {
    return this.#position;
  }

  /** Where the frame before the last one ended. */
  get before(): number {
    return this.#before;
  }

  /** How much of the file was looked at: its size at that time, when it was read to its end. */
  get seen(): number {
    return this.#seen;
  }

  /** Whether the last read came to the end of the file. */
  get reachedEnd(): boolean {
    return this.#reachedEnd;
  }

  /** How many stretches of dead bytes were passed. */
  get damage(): number {
    return this.#damage;
  }

  /** Looks for news with one positioned read of up to so many bytes; returns how many came. */
  fill(most = Infinity): number {
    this.#makeRoom();
    const room = Math.min(this.#window.length - this.#to, most);
    const got = fs.readSync(this.#descriptor, this.#window, this.#to, room, this.#seen);
    this.#to += got;
    this.#seen += got;
    this.#reachedEnd = got < room;
    return got;
  }

  /**
   * Right after one's own frame was written: looks for news, and if that frame is all there is, passes it unparsed
   * and says so. Only for a frame whose first writing this was: a torn copy has the same header.
   */
  fillExpecting(frame: Uint8Array, size: number): boolean {
    const nothingPending = this.#position === this.#seen;
    if (this.fill() !== size || !nothingPending) return false;
    const shift = this.#from;
    for (let index = 0; index < HEADER_BYTES; index++) if (this.#window[shift + index] !== frame[index]) return false;
    this.frame.size = size;
    this.#pass();
    return true;
  }

  /** Whether the file still holds what was passed. What came after it is read again. */
  isIntact(): boolean {
    this.#from = this.#to = 0;
    this.#window = sharedWindow;
    this.#seen = this.#position;
    if (this.#anchorPosition !== this.#position && !this.#isMarked(this.#anchorPosition, this.#anchorMark)) return false;
    if (!this.#isMarked(this.#position, this.#mark)) return false;
    this.anchor();
    return true;
  }

  /** Notes that what was passed so far is there now. */
  anchor(): void {
    this.#anchorPosition = this.#position;
    this.#anchorMark = this.#mark;
  }

  /** Whether that is the end of the frame that ends at a position. */
  #isMarked(position: number, mark: number | null): boolean {
    try {
      const got = fs.readSync(this.#descriptor, trailer, 0, TRAILER_BYTES, position - TRAILER_BYTES);
      return got === TRAILER_BYTES && (mark === null || getInt32(trailer, 0) === mark);
    } catch {
      return true; // Reading on will meet the same, and say so.
    }
  }

  #makeRoom(): void {
    const kept = this.#to - this.#from;
    if (kept === 0) {
      // A window of one's own is kept for as long as reads go on filling it.
      if (this.#reachedEnd) this.#window = sharedWindow;
      this.#from = this.#to = 0;
    } else if (this.#window.length - this.#to < CHUNK) {
      const reusable = this.#window !== sharedWindow && kept <= this.#window.length / 2;
      this.#moveTo(reusable ? this.#window : new Uint8Array(4 * CHUNK + 2 * kept));
    }
  }

  #moveTo(window: Uint8Array): void {
    window.set(this.#window.subarray(this.#from, this.#to));
    this.#window = window;
    this.#to -= this.#from;
    this.#from = 0;
  }

  /** Gives the shared window back. To be called when a run of {@link fill} and {@link next} is over. */
  release(): void {
    if (this.#window === sharedWindow && this.#to > this.#from) this.#moveTo(new Uint8Array(this.#to - this.#from));
  }

  /** Finds the next complete frame among the bytes seen; false if there is none yet. */
  next(): boolean {
    while (this.#to - this.#from >= MAGIC_BYTES && !this.#wasCutBack) {
      const verdict = decodeFrame(this.#window, this.#from, this.#to, this.#magic, this.frame);
      if (verdict === 'partial') return false;
      if (verdict === 'whole') {
        this.#pass();
        return !this.#wasCutBack;
      }
      this.#resynchronize();
    }
    return false;
  }

  #pass(): void {
    const { size } = this.frame;
    const start = this.#seen - (this.#to - this.#from);
    if (start !== this.#position) {
      this.#damage++;
      this.#wasCutBack ||= !this.#isMarked(this.#position, this.#mark);
    }
    this.#before = this.#position;
    this.#position = start + size;
    this.#from += size;
    this.#mark = getInt32(this.#window, this.#from - TRAILER_BYTES);
  }

  /** From bytes that can never become a frame to the next that may, be it one whose magic is itself cut short. */
  #resynchronize(): void {
    const next = this.#magic.find(this.#window, this.#from + 1, this.#to);
    this.#from = next === -1 ? Math.max(this.#from + 1, this.#to - MAGIC_BYTES + 1) : next;
  }
}
