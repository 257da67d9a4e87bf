import type { StoredMsg } from '@nats-io/jetstream';
import type { MsgHdrs } from '@nats-io/transport-node';
import { HoldfastError } from '../../../runtime/holdfast-error.ts';
import { decodeIds, decodeState, IDS_HEADER, OBJECT_HEADER, STATE_HEADER, type LogState } from './message.ts';
import type { Session } from './session.ts';

/** A message of a log's subject. */
export interface LogMessage {
  /** In the stream; not a position. */
  readonly sequence: number;
  readonly state: LogState;
  readonly body: Uint8Array;
  /** Null when the ids are in the object. */
  readonly ids: readonly string[] | null;
  /** The object that holds the batch. */
  readonly object: string | null;
  /** Milliseconds since 1970 on the server's clock. */
  readonly time: number;
}

/** Milliseconds for which a consumer waits for messages that are there. */
const EXPIRES = 10_000;

/** Messages up to this many are asked for one by one, for a consumer takes three round trips by itself. */
const FEW = 3;

/** What is asked for at once: few messages while it is not known how large they are. */
const FIRST_CHUNK = 16;
const LARGEST_CHUNK = 1000;
const CHUNK_BYTES = 4 * 2 ** 20;

function decode(subject: string, sequence: number, headers: MsgHdrs | undefined, body: Uint8Array, time: number): LogMessage {
  const object = headers?.get(OBJECT_HEADER) || null;
  if (object !== null) requireOwn(object, subject);
  const ids = object === null ? decodeIds(headers?.get(IDS_HEADER) ?? '') : null;
  return { sequence, state: decodeState(headers?.get(STATE_HEADER) ?? ''), body, ids, object, time };
}

/**
 * Who may publish to one log only must not have others read what is another's, nor remove it when they trim.
 *
 * @throws HoldfastError `hub-damaged`
 */
function requireOwn(object: string, subject: string): void {
  if (object.startsWith(`${subject.split('.').at(-2)}/batch/`)) return;
  throw new HoldfastError('hub-damaged', 'The log has a message that names an object which is not its own.');
}

function decodeStored(subject: string, { seq, header, data, time }: StoredMsg): LogMessage {
  return decode(subject, seq, header, data, time.getTime());
}

/** The last message of a subject, as the stream's leader has it; null when there is none. */
export async function lastMessage({ manager, prepared }: Session, subject: string): Promise<LogMessage | null> {
  const message = await manager.streams.getMessage(prepared.config.name, { last_by_subj: subject });
  return message === null ? null : decodeStored(subject, message);
}

/** The first message of a subject from a sequence number on; null when there is none. */
export async function nextMessage({ manager, prepared }: Session, subject: string, sequence: number): Promise<LogMessage | null> {
  const query = { seq: Math.max(sequence, 1), next_by_subj: subject };
  const message = await manager.streams.getMessage(prepared.config.name, query);
  return message === null ? null : decodeStored(subject, message);
}

/** Which messages of a subject are wanted. */
export interface Range {
  /** A sequence number; or a time, in milliseconds since 1970 on the server's clock. */
  readonly from: number | { readonly time: number };
  /** The sequence number of the last message. */
  readonly last: number;
  /** Whether only the headers are wanted. */
  readonly headersOnly: boolean;
  /** Whether few are expected. */
  readonly few: boolean;
}

/** The messages of a subject in a range, in order; whoever has enough stops taking them. */
export async function* messagesIn(session: Session, subject: string, range: Range): AsyncGenerator<LogMessage> {
  let from = range.from;
  for (let count = 0; range.few && count < FEW && typeof from === 'number' && from <= range.last; count++) {
    const message = await nextMessage(session, subject, from);
    if (message === null) return;
    yield message;
    from = message.sequence + 1;
  }
  if (typeof from !== 'number' || from <= range.last) yield* consume(session, subject, { ...range, from });
}

async function* consume(session: Session, subject: string, { from, last, headersOnly }: Range): AsyncGenerator<LogMessage> {
  const start = typeof from === 'number' ? { deliver_policy: 'by_start_sequence', opt_start_seq: from } : { deliver_policy: 'by_start_time', opt_start_time: new Date(from.time).toISOString() };
  const options = { filter_subjects: subject, headers_only: headersOnly, ...start };
  // The client's enums are loaded with it only.
  const consumer = await session.jetstream.consumers.get(session.prepared.config.name, options as object);
  // By messages and not by bytes, for at the end of those the client waits for more until the request expires.
  let chunk = headersOnly ? LARGEST_CHUNK : FIRST_CHUNK;
  let count = 0;
  let bytes = 0;
  try {
    for (let before = -1; before < count; chunk = chunkAfter(count, bytes)) {
      // None any more: what was trimmed meanwhile is not there.
      before = count;
      for await (const { seq, headers, data, time } of await consumer.fetch({ max_messages: chunk, expires: EXPIRES })) {
        count++;
        bytes += data.length;
        yield decode(subject, seq, headers, data, time.getTime());
        if (seq >= last) return;
      }
    }
  } finally {
    // The server removes it soon by itself.
    consumer.delete().catch(() => undefined);
  }
}

/** How many messages are probably {@link CHUNK_BYTES}, of what came before. */
function chunkAfter(count: number, bytes: number): number {
  return Math.min(Math.max(Math.floor((CHUNK_BYTES * count) / Math.max(bytes, 1)), 1), LARGEST_CHUNK);
}

/** The sequence number of the first message whose entries go beyond a position, or of the last message. */
export async function findSequence(session: Session, subject: string, position: number, last: number): Promise<number> {
  let low = 1;
  let high = last;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const message = await nextMessage(session, subject, middle);
    if (message === null || message.sequence >= high || message.state.position > position) high = middle;
    else low = message.sequence + 1;
  }
  return (await nextMessage(session, subject, low))?.sequence ?? last;
}
