import { crc32 } from '../../disk/journal/checksum.ts';
import { decodeMessage, type Link, type WaitingPost } from '../../disk/channels/channel-records.ts';
import { ByteReader, damaged } from '../../disk/replica/byte-reader.ts';
import { ByteWriter } from '../../disk/replica/byte-writer.ts';
import type { HubEntry, NewEntry } from '../hub.ts';

/*
 * An entry of a log of channels. docs/FORMAT.md, "Channels", is the same in words.
 *
 *   entry    version, link, number, flags (1: goes on with the one before; 2: goes on in the next), part, check
 *   check    CRC-32 of all before it, in four bytes
 *   message  session, sequence, the message with its length before it
 *
 * The parts of entries that go on with each other are messages, to the end.
 */
const VERSION = 1;
const CONTINUES = 1;
const GOES_ON = 2;

const CHECK_BYTES = 4;
/** Version, link, number, flags and check, at most. */
const HEAD_BYTES = 32;
/** Session, sequence and length, at most. */
const MESSAGE_BYTES = 24;

/** Of all messages that are sent at once, in bytes, but for one that is larger by itself. */
const BATCH_BYTES = 2 ** 18;

/** The largest message that a hub is given, in bytes: whoever reads it has it in memory as a whole. */
export const MOST_MESSAGE_BYTES = 2 ** 24;

const MOST_BODY_BYTES = MOST_MESSAGE_BYTES + MESSAGE_BYTES;

/** Links whose entries are known by their numbers: far more than there are regions. */
const MOST_LINKS = 1024;

export function isTooLarge({ message }: WaitingPost): boolean {
  return message.length > MOST_MESSAGE_BYTES;
}

/** The first of these that travel together: one at least, if there is one. */
export function firstBatch(posts: Iterable<WaitingPost>): readonly WaitingPost[] {
  const batch: WaitingPost[] = [];
  let bytes = 0;
  for (const post of posts) {
    bytes += post.message.length + MESSAGE_BYTES;
    if (batch.length > 0 && (bytes > BATCH_BYTES || isTooLarge(post))) break;
    batch.push(post);
  }
  return batch;
}

/** Entries, numbered from `number` on, that have to be appended together. */
export function encodeEntries(link: Link, number: number, posts: readonly WaitingPost[], maxEntryBytes: number): NewEntry[] {
  const body = encodeBody(posts);
  const size = maxEntryBytes - HEAD_BYTES;
  const entries: NewEntry[] = [];
  for (let at = 0; at < body.length; at += size) {
    const flags = (at > 0 ? CONTINUES : 0) | (at + size < body.length ? GOES_ON : 0);
    const own = number + entries.length;
    entries.push({ id: `${link.toString(36)}.${own}`, bytes: encodeEntry(link, own, flags, body.subarray(at, at + size)) });
  }
  return entries;
}

function encodeBody(posts: readonly WaitingPost[]): Uint8Array {
  const writer = new ByteWriter();
  for (const { session, sequence, message } of posts) writer.integer(session).integer(sequence).bytes(message);
  return writer.finish();
}

function encodeEntry(link: Link, number: number, flags: number, part: Uint8Array): Uint8Array {
  const writer = new ByteWriter().byte(VERSION).integer(link).integer(number).byte(flags).raw(part);
  const check = crc32(writer.finish(), 0, writer.length);
  return writer.raw(new Uint8Array(Uint32Array.of(check).buffer)).finish();
}

interface Part {
  readonly link: Link;
  readonly number: number;
  readonly flags: number;
  readonly bytes: Uint8Array;
}

/** @throws HoldfastError hub-damaged */
function decodeEntry(bytes: Uint8Array): Part {
  const end = bytes.length - CHECK_BYTES;
  if (end < 0 || bytes[0] !== VERSION) throw damaged('it is of no version that is known here');
  const check = new DataView(bytes.buffer, bytes.byteOffset + end).getUint32(0, true);
  if (crc32(bytes, 0, end) !== check) throw damaged('its checksum is another one');
  const reader = new ByteReader(bytes.subarray(0, end));
  reader.byte();
  return { link: reader.integer(), number: reader.integer(), flags: reader.byte(), bytes: reader.rest() };
}

/** Messages that have their place in the order. */
export interface PlacedMessages {
  readonly position: number;
  readonly link: Link;
  readonly posts: readonly WaitingPost[];
}

/** Everything in them is checked: they may come from anybody. @throws HoldfastError hub-damaged */
function decodeBody(body: Uint8Array): WaitingPost[] {
  const reader = new ByteReader(body);
  const posts: WaitingPost[] = [];
  while (!reader.atEnd) {
    const [session, sequence, message] = [reader.integer(), reader.integer(), reader.bytes()];
    requireMessage(message);
    posts.push({ session, sequence, message });
  }
  return posts;
}

function requireMessage(message: Uint8Array): void {
  try {
    decodeMessage(message);
  } catch {
    throw damaged('a message in it has no name');
  }
}

/**
 * Puts messages together from the entries of a log, in order. Invariants:
 * - an entry that a hub has twice counts once;
 * - what goes on is never larger than one message may be, and ends with whatever does not go on with it.
 */
export class Assembly {
  /** The number of the last entry of each link; the ones that were heard of last. */
  readonly #numbers = new Map<Link, number>();
  #parts: Part[] = [];
  #bytes = 0;

  /** Null: the messages go on in the next entry, or there are none. @throws HoldfastError hub-damaged */
  add({ position, bytes }: HubEntry): PlacedMessages | null {
    const open = this.#parts;
    this.#parts = [];
    const part = decodeEntry(bytes);
    if (!this.#isNew(part) || !this.#continues(open, part)) return null;
    this.#bytes = (open.length === 0 ? 0 : this.#bytes) + part.bytes.length;
    if (this.#bytes > MOST_BODY_BYTES) throw damaged('its messages are larger than any that is sent');
    const parts = [...open, part];
    if ((part.flags & GOES_ON) === 0) return { position, link: part.link, posts: decodeBody(joined(parts, this.#bytes)) };
    this.#parts = parts;
    return null;
  }

  #isNew({ link, number }: Part): boolean {
    const last = this.#numbers.get(link) ?? 0;
    if (number <= last) return false;
    this.#numbers.delete(link);
    this.#numbers.set(link, number);
    if (this.#numbers.size > MOST_LINKS) this.#numbers.delete(this.#numbers.keys().next().value ?? 0);
    return true;
  }

  /** False for the rest of messages whose beginning was not heard. */
  #continues(open: Part[], part: Part): boolean {
    const last = open.at(-1);
    const goesOn = last !== undefined && last.link === part.link && last.number + 1 === part.number;
    if ((part.flags & CONTINUES) !== 0) return goesOn;
    open.length = 0;
    return true;
  }
}

function joined(parts: readonly Part[], length: number): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only.bytes;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const { bytes } of parts) {
    whole.set(bytes, at);
    at += bytes.length;
  }
  return whole;
}
