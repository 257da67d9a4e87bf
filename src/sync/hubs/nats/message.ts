import { HoldfastError } from '../../../runtime/holdfast-error.ts';
import type { HubEntry, NewEntry } from '../../hub.ts';

/*
 * How a batch of entries is one message. Headers say what the log is after it:
 *
 *   Holdfast: <format> <position> <count> <trimmed>
 *   Holdfast-Ids: the entries' ids
 *   Holdfast-Object: the object that holds the batch, where it is too large for a message
 *
 * `position` is that of the message's last entry, `count` how many it has, `trimmed` the highest position that the log
 * has forgotten. The body is each entry's length, as 4 bytes in big-endian order, and its bytes.
 */

export const STATE_HEADER = 'Holdfast';
export const IDS_HEADER = 'Holdfast-Ids';
export const OBJECT_HEADER = 'Holdfast-Object';
/** The log's name, in the message that names its epoch: for people. */
export const NAME_HEADER = 'Holdfast-Log';

const FORMAT = '1';
const LENGTH_BYTES = 4;

/** NATS takes 64 KiB of headers. */
const MAX_IDS_LENGTH = 60 * 1024;

/** Of `max_payload`, what entries cannot have: headers, and the lengths. */
export const OVERHEAD_BYTES = 66 * 1024;

/** Bytes of the entries of one batch, and of the object that a large one is: its reader puts it together in memory. */
export const MAX_BATCH_BYTES = 64 * 2 ** 20;
export const MAX_OBJECT_BYTES = MAX_BATCH_BYTES + 8 * 2 ** 20;

/** Entries of one batch. */
export const MAX_ENTRIES = 2 ** 16;

/** What a log is after a message. */
export interface LogState {
  /** Of the last entry up to then. */
  readonly position: number;
  /** How many entries the message has. */
  readonly count: number;
  /** The highest position that is forgotten. */
  readonly trimmed: number;
}

export function encodeState({ position, count, trimmed }: LogState): string {
  return [FORMAT, position, count, trimmed].join(' ');
}

/** @throws HoldfastError `hub-incompatible` for a newer format; `hub-damaged` for something else */
export function decodeState(text: string): LogState {
  const [format, ...numbers] = text.split(' ');
  const [position = NaN, count = NaN, trimmed = NaN] = numbers.map(Number);
  if (format !== undefined && Number(format) > Number(FORMAT)) {
    throw new HoldfastError('hub-incompatible', `The log has messages of format ${format}, made by a newer Holdfast; this one knows formats up to ${FORMAT}.`);
  }
  const isPossible = [position, count, trimmed].every((number) => Number.isSafeInteger(number) && number >= 0);
  if (format !== FORMAT || !isPossible || count > Math.min(position, MAX_ENTRIES) || trimmed > position) throw notOurs();
  return { position, count, trimmed };
}

function notOurs(): HoldfastError {
  return new HoldfastError('hub-damaged', 'The log has a message that Holdfast has not written.');
}

function sharedLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

/** Each id as the length of what it has in common with the one before, and the rest: they differ in a few digits. */
export function encodeIds(ids: readonly string[]): string {
  return ids
    .map((id, index) => {
      const shared = sharedLength(ids[index - 1] ?? '', id);
      return `${shared}:${id.slice(shared)}`;
    })
    .join(',');
}

/** One id: at most 64 characters, or each could be as long as all before it. */
const ID_PART = /^([0-9]{1,2}):([A-Za-z0-9.-]{0,64})$/;
const MAX_ID_LENGTH = 64;

/** @throws HoldfastError `hub-damaged` */
export function decodeIds(text: string): string[] {
  const ids: string[] = [];
  if (text === '') return ids;
  for (const part of text.split(',', MAX_ENTRIES + 1)) {
    const [, shared, rest = ''] = ID_PART.exec(part) ?? [];
    const id = (ids.at(-1) ?? '').slice(0, Number(shared)) + rest;
    if (shared === undefined || id === '' || id.length > MAX_ID_LENGTH || ids.push(id) > MAX_ENTRIES) throw notOurs();
  }
  return ids;
}

/** What a batch is before it becomes a message. */
export interface EncodedBatch {
  readonly ids: string;
  readonly body: Uint8Array;
}

export function encodeBatch(entries: readonly NewEntry[]): EncodedBatch {
  const body = Buffer.alloc(entries.reduce((sum, { bytes }) => sum + LENGTH_BYTES + bytes.length, 0));
  let offset = 0;
  for (const { bytes } of entries) {
    offset = body.writeUInt32BE(bytes.length, offset);
    body.set(bytes, offset);
    offset += bytes.length;
  }
  return { ids: encodeIds(entries.map(({ id }) => id)), body };
}

/** Whether a batch is too large for one message. */
export function overflows({ ids, body }: EncodedBatch, maxPayload: number): boolean {
  return ids.length > MAX_IDS_LENGTH || body.length > maxPayload - OVERHEAD_BYTES + LENGTH_BYTES;
}

/** A batch as an object: the length of the ids, the ids, the body. */
export function encodeObject({ ids, body }: EncodedBatch): Uint8Array {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(ids.length);
  return Buffer.concat([length, Buffer.from(ids, 'latin1'), body]);
}

export function decodeObject(object: Uint8Array): EncodedBatch {
  const bytes = Buffer.from(object.buffer, object.byteOffset, object.length);
  const end = LENGTH_BYTES + (bytes.length < LENGTH_BYTES ? 0 : bytes.readUInt32BE());
  return { ids: bytes.toString('latin1', LENGTH_BYTES, end), body: bytes.subarray(end) };
}

/**
 * The entries of a message.
 *
 * @throws HoldfastError `hub-damaged`
 */
export function decodeBody(body: Uint8Array, { position, count }: LogState): HubEntry[] {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  const entries: HubEntry[] = [];
  let offset = 0;
  while (entries.length < count && offset + LENGTH_BYTES <= bytes.length) {
    const start = offset + LENGTH_BYTES;
    offset = start + bytes.readUInt32BE(offset);
    entries.push({ position: position - count + 1 + entries.length, bytes: bytes.subarray(start, offset) });
  }
  if (entries.length !== count || offset !== bytes.length) {
    throw new HoldfastError('hub-damaged', `The message with the entries up to ${position} holds something else than ${count} entries.`);
  }
  return entries;
}
