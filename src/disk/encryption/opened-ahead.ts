import { getUint32 } from '../journal/bytes.ts';
import { roomToOpen, SEVERAL_BYTES, SIV_BYTES, type AesSiv, type Place } from './aes-siv.ts';

/* docs/FORMAT.md, "Frame": what lies between two payloads, and how far before one its length stands. */
const FRAME_OVERHEAD = 49;
const LENGTH_BEFORE_PAYLOAD = 28;

/** Records that are looked at together. */
const MOST = 128;

/** Memory beyond this is not held for what may come. */
const MOST_BYTES = 2 ** 19;

/** Of all journals: whoever has made the last guess has what is in them. */
const opened = new Uint8Array(SEVERAL_BYTES);
const before = new Uint8Array(SEVERAL_BYTES + MOST * (SIV_BYTES + FRAME_OVERHEAD));
let guesses = 0;

/**
 * Who replays a journal opens record after record, and most of the price of a short one is calling the ciphers. Behind a
 * record lie the next ones, in the same memory; so several are opened at once.
 *
 * What lies there is a guess: it may be no record, or be overwritten before its turn comes. What was opened is given for
 * bytes only that stand in the same place and are, every one, those that it was opened from.
 */
export class OpenedAhead {
  readonly #siv: AesSiv;
  /** The memory that the last record was in, and where the one behind it would be. */
  #memory: ArrayBufferLike | null = null;
  #next = -1;
  #places: Place[] = [];
  /** How many of them were authentic. */
  #count = 0;
  /** Which one is next, where in {@link opened} it is, and how many are guessed at a time. */
  #index = 0;
  #at = 0;
  #most = 1;
  /** The guess that they are of. */
  #guessed = 0;

  constructor(siv: AesSiv) {
    this.#siv = siv;
  }

  /** What was sealed, valid until the next call; null: it has to be opened by itself. */
  of(sealed: Uint8Array): Uint8Array | null {
    const isNext = sealed.buffer === this.#memory && sealed.byteOffset === this.#next;
    this.#memory = sealed.buffer.byteLength > MOST_BYTES ? null : sealed.buffer;
    this.#next = sealed.byteOffset + sealed.length + FRAME_OVERHEAD;
    const known = isNext ? this.#take(sealed) : null;
    if (known !== null) return known;
    // A guess that failed is followed by a small one.
    this.#most = isNext && this.#index === this.#places.length ? Math.min(MOST, 2 * this.#most) : 1;
    this.#forget();
    if (!isNext || this.#most === 1) return null;
    this.#guess(sealed);
    return this.#take(sealed);
  }

  #take(sealed: Uint8Array): Uint8Array | null {
    const first = this.#places[0];
    const place = this.#places[this.#index];
    if (first === undefined || place === undefined || this.#index >= this.#count || this.#guessed !== guesses) return null;
    if (place.at !== sealed.byteOffset || place.length !== sealed.length) return null;
    const offset = place.at - first.at;
    for (let index = 0; index < place.length; index++) if (before[offset + index] !== sealed[index]) return null;
    const plain = opened.subarray(this.#at, this.#at + place.length - SIV_BYTES);
    this.#index += 1;
    this.#at += roomToOpen(place.length);
    return plain;
  }

  #forget(): void {
    this.#places = [];
    this.#count = this.#index = this.#at = 0;
  }

  #guess(sealed: Uint8Array): void {
    const memory = new Uint8Array(sealed.buffer);
    const places = this.#placesFrom(memory, sealed.byteOffset, sealed.length);
    const last = places.at(-1);
    if (last === undefined) return;
    before.set(memory.subarray(sealed.byteOffset, last.at + last.length));
    this.#guessed = guesses += 1;
    this.#places = places;
    this.#count = this.#siv.openSeveral(memory, places, opened);
  }

  /** Where the record at a place and those behind it would be. */
  #placesFrom(memory: Uint8Array, start: number, first: number): Place[] {
    const places: Place[] = [];
    for (let at = start, length = first, room = SEVERAL_BYTES; places.length < this.#most; ) {
      if (length <= SIV_BYTES || at + length > memory.length) break;
      room -= roomToOpen(length);
      if (room < 0) break;
      places.push({ at, length });
      at += length + FRAME_OVERHEAD;
      if (at > memory.length) break;
      length = getUint32(memory, at - LENGTH_BEFORE_PAYLOAD);
    }
    return places;
  }
}
