import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { ThreadIdentity } from '../../runtime/identity.ts';
import { PayloadReader } from '../journal/payload-reader.ts';
import { ByteWriter } from '../replica/byte-writer.ts';

/** Kinds of records of an account's journal. */
export const kinds = {
  /** A session says what it has used and freed, and how much it wants to have reserved from now on. */
  adjust: 1,
  /** Another session's thread has ended, or is not heard of any more. */
  dead: 2,
  /** Somebody begins to count what is there. */
  begin: 3,
  /** What the counting came to. */
  end: 4,
  /** Something has changed that the account cannot know. */
  doubt: 5,
} as const;

/** Who uses the space. Numbers in the written format: never changed. */
export const categories = { files: 0, indexedDB: 1, caches: 2 } as const;

/** A member of {@link categories}, or one of a later version. */
export type Category = number;

/** A later version has no more. */
export const MAX_CATEGORY = 63;

/** Bytes by category; what is not there is 0. */
export type Amounts = ReadonlyMap<Category, number>;

export function sum(amounts: Amounts): number {
  let total = 0;
  for (const bytes of amounts.values()) total += bytes;
  return total;
}

export interface Adjustment {
  /** Given where the session has no reservation yet. */
  readonly identity: ThreadIdentity | null;
  /** The last recount that had begun before what is freed here had gone; see {@link stale}. */
  readonly epoch: number;
  /** Something was freed of which a recount may know already, so that it is not given back here. */
  readonly stale: boolean;
  /** Bytes that the bucket may take, without what is counted elsewhere. */
  readonly limit: number;
  /** Bytes that must be reserved for the session after this, or nothing is. */
  readonly need: number;
  /** Bytes that it would have beyond that. */
  readonly want: number;
  readonly used: Amounts;
  readonly freed: Amounts;
}

const IDENTIFIED = 1;
const STALE = 2;

export function encodeAdjustment(adjustment: Adjustment): Uint8Array {
  const { identity, epoch, stale, limit, need, want, used, freed } = adjustment;
  const to = new ByteWriter().byte((identity === null ? 0 : IDENTIFIED) | (stale ? STALE : 0));
  if (identity !== null) writeIdentity(to, identity);
  to.integer(epoch).integer(limit).integer(need).integer(want);
  writeAmounts(to, used);
  return writeAmounts(to, freed).finish();
}

export function readAdjustment(payload: Uint8Array): Adjustment {
  const from = readerOf(payload);
  const flags = from.byte();
  const identity = (flags & IDENTIFIED) === 0 ? null : readIdentity(from);
  const [epoch, limit, need, want] = [from.integer(), from.integer(), from.integer(), from.integer()];
  const [used, freed] = [readAmounts(from), readAmounts(from)];
  from.end();
  return { identity, epoch, stale: (flags & STALE) !== 0, limit, need, want, used, freed };
}

export function encodeDead(session: number): Uint8Array {
  return new ByteWriter().integer(session).finish();
}

export function readDead(payload: Uint8Array): number {
  const from = readerOf(payload);
  const session = from.integer();
  from.end();
  return session;
}

export function encodeBegin(identity: ThreadIdentity): Uint8Array {
  return writeIdentity(new ByteWriter(), identity).finish();
}

export function readBegin(payload: Uint8Array): ThreadIdentity {
  const from = readerOf(payload);
  const identity = readIdentity(from);
  from.end();
  return identity;
}

/** What a counting came to. */
export interface Count {
  /** Which one. */
  readonly epoch: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The machine's start under which it was counted; empty where nobody knows. */
  readonly boot: string;
  readonly amounts: Amounts;
}

export function encodeCount({ epoch, at, boot, amounts }: Count): Uint8Array {
  return writeAmounts(new ByteWriter().integer(epoch).integer(at).text(boot), amounts).finish();
}

export function readCount(payload: Uint8Array): Count {
  const from = readerOf(payload);
  const [epoch, at, boot] = [from.integer(), from.integer(), readText(from)];
  const amounts = readAmounts(from);
  from.end();
  return { epoch, at, boot, amounts };
}

// Parts, which snapshots have as well.

export function writeIdentity(to: ByteWriter, { boot, namespace, pid, tid, start }: ThreadIdentity): ByteWriter {
  return to.text(boot).text(namespace).integer(pid).integer(tid).integer(start);
}

export function readIdentity(from: PayloadReader): ThreadIdentity {
  const [boot, namespace] = [readText(from), readText(from)];
  return { boot, namespace, pid: from.integer(), tid: from.integer(), start: from.integer() };
}

export function writeAmounts(to: ByteWriter, amounts: Amounts): ByteWriter {
  to.integer(amounts.size);
  for (const [category, bytes] of amounts) to.integer(category).integer(bytes);
  return to;
}

export function readAmounts(from: PayloadReader): Map<Category, number> {
  const amounts = new Map<Category, number>();
  for (let left = from.integer(); left > 0; left--) {
    const category = from.integer();
    if (category > MAX_CATEGORY || amounts.has(category)) throw damaged('an amount is of no category');
    amounts.set(category, from.integer());
  }
  return amounts;
}

export function readText(from: PayloadReader): string {
  return from.take(from.integer()).toString('utf8');
}

export function readerOf(payload: Uint8Array): PayloadReader {
  const reader = new PayloadReader(damaged);
  reader.begin(payload);
  return reader;
}

export function damaged(why: string): HoldfastError {
  return new HoldfastError('journal-damaged', `A record of the journal of an account makes no sense: ${why}.`);
}
