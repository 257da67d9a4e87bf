import { ByteWriter } from '../replica/byte-writer.ts';
import type { Counting, Reservation } from './machine.ts';
import { readAmounts, readerOf, readIdentity, readText, writeAmounts, writeIdentity } from './records.ts';
import type { Amounts, Category } from './records.ts';

/** Kinds of records of a snapshot of an account. */
export const snapshotKinds = { state: 1, reservation: 2 } as const;

/** All but the reservations. */
export interface SavedState {
  readonly usage: Amounts;
  readonly epoch: number;
  readonly countedAt: number;
  readonly doubtful: boolean;
  readonly boots: readonly string[];
  readonly counting: Readonly<Counting> | null;
}

/** The same, to be changed by whoever has read it. */
interface RestoredState extends SavedState {
  readonly usage: Map<Category, number>;
  readonly boots: string[];
  readonly counting: Counting | null;
}

const DOUBTFUL = 1;
const COUNTING = 2;
const DISTURBED = 4;

export function writeState({ usage, epoch, countedAt, doubtful, boots, counting }: SavedState): Uint8Array {
  const disturbed = counting?.disturbed === true ? DISTURBED : 0;
  const to = new ByteWriter().byte((doubtful ? DOUBTFUL : 0) | (counting === null ? 0 : COUNTING) | disturbed);
  writeAmounts(to.integer(epoch).integer(countedAt), ofSign(usage, 1));
  writeAmounts(to, ofSign(usage, -1)).integer(boots.length);
  for (const boot of boots) to.text(boot);
  if (counting !== null) writeAmounts(writeIdentity(to.integer(counting.session), counting.identity), counting.used);
  return to.finish();
}

/** Integers have no sign: what is there, or what is owed. */
function ofSign(amounts: Amounts, sign: 1 | -1): Amounts {
  return new Map([...amounts].filter(([, bytes]) => bytes * sign > 0).map(([category, bytes]) => [category, bytes * sign]));
}

export function readState(payload: Uint8Array): RestoredState {
  const from = readerOf(payload);
  const flags = from.byte();
  const [epoch, countedAt] = [from.integer(), from.integer()];
  const usage = readAmounts(from);
  for (const [category, bytes] of readAmounts(from)) usage.set(category, -bytes);
  const boots: string[] = [];
  for (let left = from.integer(); left > 0; left--) boots.push(readText(from));
  const counting = (flags & COUNTING) === 0 ? null : readCounting(from, (flags & DISTURBED) !== 0);
  from.end();
  return { usage, epoch, countedAt, doubtful: (flags & DOUBTFUL) !== 0, boots, counting };
}

function readCounting(from: ReturnType<typeof readerOf>, disturbed: boolean): Counting {
  const session = from.integer();
  const identity = readIdentity(from);
  return { session, identity, used: readAmounts(from), disturbed };
}

export function writeReservation(session: number, { identity, bytes }: Reservation): Uint8Array {
  return writeIdentity(new ByteWriter().integer(session), identity).integer(bytes).finish();
}

export function readReservation(payload: Uint8Array): { readonly session: number; readonly reservation: Reservation } {
  const from = readerOf(payload);
  const session = from.integer();
  const identity = readIdentity(from);
  const reservation = { identity, bytes: from.integer() };
  from.end();
  return { session, reservation };
}
