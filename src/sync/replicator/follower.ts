import { damaged } from '../../disk/replica/byte-reader.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { HubEntry, HubLog, LogHead } from '../hub.ts';
import { isSameDigest, sha256 } from './digest.ts';
import type { Line } from './line.ts';

/** How long the hub may take for a question that is answered with little. */
export const ANSWER_MS = 10_000;

const AT_ONCE = 256;

const MOST_EPOCH_UNITS = 1024;

/** @throws HoldfastError hub-damaged for a head that no log can have */
export function checkedHead(head: LogHead): LogHead {
  const { epoch, position, first } = head;
  const isPossible = Number.isSafeInteger(position) && position >= 0 && Number.isSafeInteger(first) && first >= 1 && first <= position + 1;
  if (!isPossible) throw damaged(`its log goes from ${first} to ${position}`);
  if (epoch === '' || epoch.length > MOST_EPOCH_UNITS) throw damaged('its log is of no epoch');
  return head;
}

/** How far somebody has come in a hub's log. */
export interface Place {
  /** Empty: it does not matter yet. */
  readonly epoch: string;
  /** Of the last entry; 0: none. */
  readonly position: number;
  /** SHA-256 of the last entry; empty at 0. */
  readonly digest: Uint8Array;
}

/**
 * What the hub's log is to somebody at a place: the `same` that he follows; another one, by its history (`differs`) or
 * its epoch (`new`); or the same as far as can be known, but with the next entries `trimmed`.
 */
export type Verdict = 'same' | 'differs' | 'new' | 'trimmed';

/** (12) By the head alone; the digest is compared when entries are read. */
export function compareHead({ epoch, position }: Place, head: LogHead): Verdict {
  if (epoch !== '' && epoch !== head.epoch) return 'new';
  if (position > head.position) return 'differs';
  return position + 1 < head.first ? 'trimmed' : 'same';
}

/** Says whether the hub's log has the history of a place whose entry was trimmed. */
export type Witness = (place: Place) => Promise<boolean>;

/** There is none: what was trimmed cannot be compared. */
export const NO_WITNESS: Witness = () => Promise.resolve(false);

/** What follows a place in the log, or why nothing does. */
export type Reading = { readonly verdict: 'same'; readonly entries: readonly HubEntry[] } | { readonly verdict: 'differs' | 'trimmed' };

/**
 * (12) Reads on from a place, up to `target` at least where the log goes that far. Each reading begins with the entry at
 * the place itself, so that no hub whose history is another is followed for a single step, whenever it was restored.
 * Where that entry was trimmed, `witness` says afterwards whether the hub has the history of the place by other means.
 *
 * @throws HoldfastError hub-damaged for a hole, and as hubs do
 */
export async function readOn(log: HubLog, line: Line, place: Place, target: number, witness: Witness): Promise<Reading> {
  const { position } = place;
  if (position === 0) return readAfter(log, line, position);
  const reading = await readFrom(log, line, place);
  if (reading.verdict === 'trimmed') return readWitnessed(log, line, place, witness);
  if (reading.verdict !== 'same' || reading.entries.length > 0 || target <= position) return reading;
  // A hub gives as many as it likes: one does not mean that there are no others.
  const next = await readAfter(log, line, position);
  if (next.verdict !== 'same' || next.entries.length === 0) return next;
  // It may have been restored between the two answers; then it has the other history still.
  const again = await readFrom(log, line, place);
  return again.verdict === 'same' ? next : again;
}

/** Asked after the entries came: a hub that has the history of the place then had it before. */
async function readWitnessed(log: HubLog, line: Line, place: Place, witness: Witness): Promise<Reading> {
  const reading = await readAfter(log, line, place.position);
  return reading.verdict !== 'same' || (await witness(place)) ? reading : { verdict: 'trimmed' };
}

/** What follows a place, in one answer with the entry at the place. */
async function readFrom(log: HubLog, line: Line, { position, digest }: Place): Promise<Reading> {
  const reading = await readAfter(log, line, position - 1);
  if (reading.verdict !== 'same') return reading;
  const [last, ...entries] = reading.entries;
  if (last === undefined || !isSameDigest(sha256(last.bytes), digest)) return { verdict: 'differs' };
  return { verdict: 'same', entries };
}

async function readAfter(log: HubLog, line: Line, position: number): Promise<Reading> {
  try {
    return { verdict: 'same', entries: await ask(log, line, position) };
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'hub-trimmed') return { verdict: 'trimmed' };
    throw error;
  }
}

async function ask(log: HubLog, line: Line, after: number): Promise<readonly HubEntry[]> {
  const entries = await line.ask('for entries', ANSWER_MS, () => log.read(after, AT_ONCE));
  // (6) A hole: nothing of it is taken, and it is asked for again.
  entries.forEach(({ position }, index) => {
    if (position !== after + 1 + index) throw damaged(`where entry ${after + 1 + index} should be the hub gives ${position}`);
  });
  return entries;
}
