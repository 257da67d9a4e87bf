import type { HubEntry } from '../../hub.ts';
import type { Place } from './epoch.ts';
import { decodeBody, decodeObject, MAX_OBJECT_BYTES } from './message.ts';
import { getObject } from './objects.ts';
import type { Session } from './session.ts';
import { findSequence, messagesIn, type LogMessage } from './subject.ts';

/** Bytes that one read gives at most, unless a single entry has more. */
const READ_BYTES = 4 * 2 ** 20;

/** Entries up to this many are probably in few messages. */
const FEW_ENTRIES = 3;

/** Where to go on reading: the message from which on the entries after a position are. */
export interface Cursor {
  readonly epoch: string;
  readonly after: number;
  readonly sequence: number;
}

/** What is to be read. */
export interface Reading {
  readonly place: Place;
  readonly last: LogMessage;
  /** Of the reading before. */
  readonly cursor: Cursor | null;
  readonly after: number;
  readonly limit: number;
}

async function startOf(session: Session, { place, last, cursor, after }: Reading): Promise<number> {
  if (cursor?.epoch === place.epoch && cursor.after === after) return cursor.sequence;
  return after === 0 ? 1 : findSequence(session, place.subject, after, last.sequence);
}

/** The entries after a position up to the first that is missing, and where to go on; none when the next one is missing. */
export async function readEntries(session: Session, reading: Reading): Promise<{ entries: HubEntry[]; cursor: Cursor | null }> {
  const { place, last, after, limit } = reading;
  const entries: HubEntry[] = [];
  let sequence = await startOf(session, reading);
  let bytes = 0;
  const few = last.state.position - after <= FEW_ENTRIES;
  for await (const message of messagesIn(session, place.subject, { from: sequence, last: last.sequence, headersOnly: false, few })) {
    const wanted = (await entriesOf(session, message)).filter(({ position }) => position > after);
    // Somebody else has removed messages in between.
    if (wanted.length > 0 && wanted[0]?.position !== after + entries.length + 1) break;
    const taken = wanted.slice(0, limit - entries.length);
    entries.push(...taken);
    bytes += message.body.length;
    sequence = taken.length === wanted.length ? message.sequence + 1 : message.sequence;
    if (entries.length >= limit || bytes >= READ_BYTES) break;
  }
  return { entries, cursor: { epoch: place.epoch, after: after + entries.length, sequence } };
}

/** None when it has gone meanwhile, together with the object that holds its entries. */
async function entriesOf(session: Session, message: LogMessage): Promise<HubEntry[]> {
  if (message.object === null) return decodeBody(message.body, message.state);
  const object = await getObject(session, message.object, MAX_OBJECT_BYTES);
  return object === null ? [] : decodeBody(decodeObject(object).body, message.state);
}
