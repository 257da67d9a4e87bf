import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { getUint32, getUint53, putUint32, putUint53 } from './bytes.ts';
import { Dedupe } from './dedupe.ts';
import { FIRST_JOURNAL_KIND, MAX_PAYLOAD } from './frame.ts';
import type { JournalRecord } from './machine.ts';
import { Magic, MAGIC_BYTES } from './magic.ts';

/** @throws RangeError for what no record can be; HoldfastError `record-too-large` */
export function checkRecord({ kind, session, sequence, payload }: JournalRecord): void {
  const valid =
    Number.isInteger(kind) && kind > 0 && kind < FIRST_JOURNAL_KIND &&
    Number.isSafeInteger(session) && session > 0 &&
    Number.isInteger(sequence) && sequence > 0 && sequence < 2 ** 32;
  if (!valid) throw new RangeError(`No record can have kind ${kind}, session ${session} and sequence ${sequence}.`);
  if (payload.length <= MAX_PAYLOAD) return;
  throw new HoldfastError('record-too-large', `A record of ${payload.length} bytes is over the limit of ${MAX_PAYLOAD}.`);
}

/** What ends the snapshot section of a generation. Its layout is in docs/FORMAT.md, "End of snapshot". */
export interface EndOfSnapshot {
  readonly generation: number;
  /** How many records the snapshot has. */
  readonly records: number;
  /** Up to which offset of the generation before the snapshot speaks; 0 for generation 0. */
  readonly covers: number;
  /** How many records were ever applied to this journal. */
  readonly count: number;
  readonly dedupe: Dedupe;
}

const END_BYTES = 28;

export function encodeEnd(end: EndOfSnapshot): Uint8Array {
  const sessions = end.dedupe.encode();
  const bytes = new Uint8Array(END_BYTES + sessions.length);
  putUint53(bytes, 0, end.generation);
  putUint32(bytes, 8, end.records);
  putUint53(bytes, 12, end.covers);
  putUint53(bytes, 20, end.count);
  bytes.set(sessions, END_BYTES);
  return bytes;
}

export function decodeEnd(bytes: Uint8Array): EndOfSnapshot {
  return {
    generation: getUint53(bytes, 0),
    records: getUint32(bytes, 8),
    covers: getUint53(bytes, 12),
    count: getUint53(bytes, 20),
    dedupe: Dedupe.decode(bytes.subarray(END_BYTES)),
  };
}

/** The payload of a SEAL: a compare-and-append that names a finished successor. Layout in docs/FORMAT.md, "SEAL". */
export interface Seal {
  /** The offset where the last record before the SEAL must have ended, or else it is void. */
  readonly after: number;
  /** The size of the successor when it was finished: a reader that has come this far goes on there. */
  readonly resume: number;
  readonly successor: Magic;
}

const SEAL_BYTES = 16 + MAGIC_BYTES;

export function encodeSeal(seal: Seal): Uint8Array {
  const bytes = new Uint8Array(SEAL_BYTES);
  putUint53(bytes, 0, seal.after);
  putUint53(bytes, 8, seal.resume);
  bytes.set(seal.successor.bytes, 16);
  return bytes;
}

export function decodeSeal(bytes: Uint8Array): Seal {
  return {
    after: getUint53(bytes, 0),
    resume: getUint53(bytes, 8),
    successor: new Magic(bytes.slice(16, SEAL_BYTES)),
  };
}
