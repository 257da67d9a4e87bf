import { Buffer } from 'node:buffer';
import { damaged } from './byte-reader.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';

/** Of the SHA-256 of an entry, what tells it from every other one that anybody will put at its place. */
export const PLACE_DIGEST_BYTES = 8;

/** Where whoever sent an entry was. */
export interface SenderPlace {
  /** The position up to which it had everything. */
  readonly base: number;
  /** The first bytes of the digest of the entry there; undefined: it does not say. */
  readonly baseDigest?: Uint8Array | undefined;
}

/**
 * Which entries the last positions of the order hold, from the first entry on whose sender said where it was: so an
 * entry that was sent in another history, to a hub that was restored since, is known. It keeps these invariants, in all
 * regions alike:
 *
 * - it remembers the last `most` positions, in order and without a gap, or all since that first entry;
 * - where it cannot know, the entry counts.
 */
export class RecentPlaces {
  /** All regions must have the same: it is a part of the written format. */
  static most = 1024;
  /** In hexadecimal, of the positions up to `#last`; longer than `most` now and then. */
  #digests: string[] = [];
  #last = 0;

  /** Whether the sender of the entry that comes next was in this history, as far as can be known. */
  isOurs({ base, baseDigest }: SenderPlace, next: number): boolean {
    if (baseDigest === undefined || base === 0) return true;
    if (base >= next) return false;
    const known = this.#at(base);
    return known === undefined || known === Buffer.from(baseDigest).toString('hex');
  }

  #at(position: number): string | undefined {
    const back = this.#last - position;
    return back < RecentPlaces.most ? this.#digests[this.#digests.length - 1 - back] : undefined;
  }

  /** The entry at the next position was applied. */
  pass(position: number, digest: Uint8Array, { baseDigest }: SenderPlace): void {
    if (this.#digests.length === 0 && baseDigest === undefined) return;
    this.#digests.push(Buffer.from(digest.subarray(0, PLACE_DIGEST_BYTES)).toString('hex'));
    this.#last = position;
    if (this.#digests.length >= 2 * RecentPlaces.most) this.#digests = this.#digests.slice(-RecentPlaces.most);
  }

  clear(): void {
    this.#digests = [];
    this.#last = 0;
  }

  /** Becomes what another one is, which is not used any more. */
  adopt(other: RecentPlaces): void {
    this.#digests = other.#digests;
    this.#last = other.#last;
  }

  write(writer: ByteWriter): void {
    const kept = this.#digests.slice(-RecentPlaces.most);
    writer.integer(kept.length).raw(Buffer.from(kept.join(''), 'hex'));
  }

  /** `position`: of the base that it is a part of. */
  read(reader: ByteReader, position: number): void {
    const count = reader.integer();
    if (count > Math.min(position, RecentPlaces.most)) throw damaged('it remembers more places than there can be');
    this.#digests = Array.from({ length: count }, () => reader.take(PLACE_DIGEST_BYTES).toString('hex'));
    this.#last = position;
  }
}
