import type { KeyObject } from 'node:crypto';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { putUint32, putUint53 } from '../journal/bytes.ts';
import { FIRST_JOURNAL_KIND, MAX_PAYLOAD } from '../journal/frame.ts';
import type { JournalCipher } from '../journal/journal-cipher.ts';
import type { JournalRecord } from '../journal/machine.ts';
import { AesSiv, equalBlocks, SIV_BYTES } from './aes-siv.ts';
import { BLOCK, Cmac, paddedLength } from './cmac.ts';
import { hkdf, KEY_BYTES, purposeOf } from './derive.ts';
import { OpenedAhead } from './opened-ahead.ts';

/*
 * Invariants
 * - A payload is sealed together with its kind, session and sequence, under a key of its generation: it opens at no other
 *   place. Two records of a generation with the same session and sequence are the same record, so no nonce is needed.
 * - No system call, and no cipher object made, for a record of the usual size.
 * - What is opened is given on only after it was found to be authentic.
 */

/** Kind, session, sequence. */
const HEAD_BYTES = 13;

const KEPT = 2 ** 16;

/** Of all generations of this realm: what they hold is used before the next record. */
const plainRoom = new Uint8Array(KEPT);
const sealedRoom = new Uint8Array(KEPT);

function room(kept: Uint8Array, bytes: number): Uint8Array {
  return bytes <= KEPT ? kept : new Uint8Array(bytes);
}

function putHead(bytes: Uint8Array, { kind, session, sequence }: JournalRecord): void {
  bytes[0] = kind;
  putUint53(bytes, 1, session);
  putUint32(bytes, 9, sequence);
}

function beginsWith(bytes: Uint8Array, head: Uint8Array): boolean {
  for (let index = 0; index < HEAD_BYTES; index++) if (bytes[index] !== head[index]) return false;
  return true;
}

/** A sealed record; one object for each generation, used again and again. */
class Sealed implements JournalRecord {
  kind = 0;
  session = 0;
  sequence = 0;
  payload: Uint8Array = sealedRoom;

  of(record: JournalRecord, payload: Uint8Array): this {
    this.kind = record.kind;
    this.session = record.session;
    this.sequence = record.sequence;
    this.payload = payload;
    return this;
  }
}

export class SivJournalCipher implements JournalCipher {
  readonly #path: string;
  readonly #siv: AesSiv;
  readonly #ahead: OpenedAhead;
  /** For records of the journal itself, which are to be read without a key. */
  readonly #cmac: Cmac;
  readonly #sealed = new Sealed();
  readonly #head = new Uint8Array(HEAD_BYTES);

  /** `magic`: of the generation; `purpose`: which journal of the origin it is; `path`: for messages. */
  constructor(key: KeyObject, magic: Uint8Array, purpose: string, path: string) {
    this.#path = path;
    const keys = hkdf(key, magic, purposeOf('journal', purpose), 3 * KEY_BYTES);
    this.#siv = new AesSiv(keys.subarray(0, 2 * KEY_BYTES));
    this.#ahead = new OpenedAhead(this.#siv);
    this.#cmac = new Cmac(keys.subarray(2 * KEY_BYTES));
    keys.fill(0);
  }

  seal(record: JournalRecord): JournalRecord {
    const { kind, payload } = record;
    if (kind >= FIRST_JOURNAL_KIND) return this.#sign(record);
    const length = HEAD_BYTES + payload.length;
    const bytes = length + SIV_BYTES;
    if (bytes > MAX_PAYLOAD) throw new HoldfastError('record-too-large', `A record of ${payload.length} bytes is over the limit of ${MAX_PAYLOAD - HEAD_BYTES - SIV_BYTES}.`);
    const plain = room(plainRoom, length);
    putHead(plain, record);
    plain.set(payload, HEAD_BYTES);
    const out = room(sealedRoom, bytes);
    this.#siv.seal(plain.subarray(0, length), out, 0);
    return this.#sealed.of(record, out.subarray(0, bytes));
  }

  open(frame: JournalRecord, number?: number): Uint8Array {
    // In a snapshot nothing may be missing, nor have changed places.
    const isInOrder = number === undefined || frame.kind >= FIRST_JOURNAL_KIND || frame.sequence === number;
    const payload = isInOrder ? this.#opened(frame) : null;
    if (payload !== null) return payload;
    const which = frame.session === 0 ? `record ${frame.sequence} of its snapshot, or of the journal itself,` : `record ${frame.sequence} of session ${frame.session}`;
    throw new HoldfastError('journal-damaged', `The journal ${this.#path} is damaged: ${which} was changed, or is another journal's.`);
  }

  #opened(frame: JournalRecord): Uint8Array | null {
    const { kind, payload } = frame;
    if (kind >= FIRST_JOURNAL_KIND) return this.#verified(frame);
    const plain = this.#ahead.of(payload) ?? this.#openAlone(payload);
    if (plain === null || plain.length < HEAD_BYTES) return null;
    putHead(this.#head, frame);
    if (!beginsWith(plain, this.#head)) return null;
    return plain.subarray(HEAD_BYTES);
  }

  #openAlone(payload: Uint8Array): Uint8Array | null {
    const length = payload.length - SIV_BYTES;
    if (length < HEAD_BYTES) return null;
    const plain = room(plainRoom, length).subarray(0, length);
    return this.#siv.open(payload, plain) ? plain : null;
  }

  #sign(record: JournalRecord): JournalRecord {
    const { payload } = record;
    const signed = new Uint8Array(payload.length + BLOCK);
    signed.set(payload);
    signed.set(this.#codeOf(record, payload), payload.length);
    return this.#sealed.of(record, signed);
  }

  #verified(frame: JournalRecord): Uint8Array | null {
    const end = frame.payload.length - BLOCK;
    if (end < 0) return null;
    const payload = frame.payload.subarray(0, end);
    return equalBlocks(this.#codeOf(frame, payload), frame.payload.subarray(end)) ? payload : null;
  }

  #codeOf(record: JournalRecord, payload: Uint8Array): Uint8Array {
    const length = HEAD_BYTES + payload.length;
    const message = new Uint8Array(paddedLength(length));
    putHead(message, record);
    message.set(payload, HEAD_BYTES);
    return this.#cmac.of(message, length);
  }
}
