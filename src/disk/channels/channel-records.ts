import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { PayloadReader } from '../journal/payload-reader.ts';
import { PayloadWriter } from '../journal/payload-writer.ts';

/*
 * The payloads of a bucket's channels. docs/FORMAT.md, "Channels", is the same in words.
 *
 *   MESSAGE  flags, the channel's name, [the names of files], the value as Values has it
 *   COUNT    how many messages there were before                    (in snapshots only)
 *   POST     as MESSAGE; it may wait for its place in a hub's order
 *   UP       link, the log's epoch, position: the channels follow a hub from there on
 *   DOWN     link: they follow none
 *   ECHO     link, position, session and sequence of each of the messages that have their place now
 *   FOREIGN  link, position, each message of another region with its length before it
 *   SPAN     flags, link, epoch, position, links                    (in snapshots only)
 *   WAITING  session, sequence, the message                         (in snapshots only)
 */
export const MESSAGE = 1;
export const COUNT = 2;
export const POST = 3;
export const UP = 4;
export const DOWN = 5;
export const ECHO = 6;
export const FOREIGN = 7;
export const SPAN = 8;
export const WAITING = 9;

const NAME_WIDE = 1;
const HAS_FILES = 2;

/** Room for a number. */
const INTEGER_BYTES = 8;

const writer = new PayloadWriter();
const reader = new PayloadReader((why) => new HoldfastError('journal-damaged', `A record of a channel has a valid checksum but makes no sense: ${why}.`));

/** A message by who posted it, and the how manieth of his it is. */
export interface PostId {
  readonly session: number;
  readonly sequence: number;
}

/** A place in a hub's log. */
export interface LogPlace {
  /** Empty: in none. */
  readonly epoch: string;
  readonly position: number;
}

/** The link by which a root's channels follow a hub: a random integer, other than that of all others; 0: none. */
export type Link = number;

/** What a message says. */
export interface MessageParts {
  /** Of the channel. */
  readonly name: string;
  /** As `writeValue` wrote it. */
  readonly value: Uint8Array;
  /** Names of the files of its Blobs, as sessions share them. */
  readonly files: readonly string[];
}

export function encodeMessage({ name, value, files }: MessageParts): Uint8Array {
  writer.begin(1 + files.length, files.reduce((sum, { length }) => sum + length, name.length));
  writer.byte(0);
  if (writer.string(name)) writer.mark(0, NAME_WIDE);
  if (files.length > 0) writeFiles(files);
  return joined(writer.finish(), value);
}

/** They are ASCII. */
function writeFiles(files: readonly string[]): void {
  writer.mark(0, HAS_FILES);
  writer.integer(files.length);
  for (const file of files) writer.string(file);
}

function joined(head: Uint8Array, rest: Uint8Array): Uint8Array {
  const payload = new Uint8Array(head.length + rest.length);
  payload.set(head);
  payload.set(rest, head.length);
  return payload;
}

/** The value is a copy. */
export function decodeMessage(payload: Uint8Array): MessageParts {
  reader.begin(payload);
  const flags = reader.byte();
  if (flags > (NAME_WIDE | HAS_FILES)) throw new HoldfastError('unknown-record', 'A message of a channel has what only a newer version of Holdfast knows.');
  const name = reader.string((flags & NAME_WIDE) !== 0);
  const files: string[] = [];
  for (let left = (flags & HAS_FILES) === 0 ? 0 : reader.integer(); left > 0; left -= 1) files.push(reader.string(false));
  const value = new Uint8Array(reader.rest());
  return { name, value, files };
}

export function encodeCount(count: number): Uint8Array {
  writer.begin(0, 0);
  writer.integer(count);
  return new Uint8Array(writer.finish());
}

export function decodeCount(payload: Uint8Array): number {
  reader.begin(payload);
  const count = reader.integer();
  reader.end();
  return count;
}

export function encodeUp(link: Link, { epoch, position }: LogPlace): Uint8Array {
  writer.begin(1, epoch.length);
  writer.integer(link);
  writeText(epoch);
  writer.integer(position);
  return new Uint8Array(writer.finish());
}

export function decodeUp(payload: Uint8Array): LogPlace & { readonly link: Link } {
  reader.begin(payload);
  const link = reader.integer();
  const epoch = readText();
  const position = reader.integer();
  reader.end();
  return { link, epoch, position };
}

/** Epochs are a hub's own; what is wide says so in front. */
function writeText(text: string): void {
  const at = writer.length;
  writer.byte(0);
  if (writer.string(text)) writer.mark(at, NAME_WIDE);
}

function readText(): string {
  return reader.string(reader.byte() === NAME_WIDE);
}

export function encodeDown(link: Link): Uint8Array {
  return new Uint8Array(integers(link));
}

export function decodeDown(payload: Uint8Array): Link {
  reader.begin(payload);
  const link = reader.integer();
  reader.end();
  return link;
}

export interface Echo {
  readonly link: Link;
  readonly position: number;
  readonly posts: readonly PostId[];
}

export function encodeEcho({ link, position, posts }: Echo): Uint8Array {
  writer.begin(posts.length + 1, 0);
  writer.integer(link);
  writer.integer(position);
  for (const { session, sequence } of posts) {
    writer.integer(session);
    writer.integer(sequence);
  }
  return new Uint8Array(writer.finish());
}

export function decodeEcho(payload: Uint8Array): Echo {
  reader.begin(payload);
  const link = reader.integer();
  const position = reader.integer();
  const posts: PostId[] = [];
  while (!reader.atEnd) posts.push({ session: reader.integer(), sequence: reader.integer() });
  reader.end();
  return { link, position, posts };
}

export interface Foreign {
  readonly link: Link;
  readonly position: number;
  /** Each as `encodeMessage` made it. */
  readonly messages: readonly Uint8Array[];
}

export function encodeForeign({ link, position, messages }: Foreign): Uint8Array {
  const bytes = messages.reduce((sum, { length }) => sum + length + INTEGER_BYTES, 0);
  const payload = new Uint8Array(2 * INTEGER_BYTES + bytes);
  let at = 0;
  const put = (part: Uint8Array): void => {
    payload.set(part, at);
    at += part.length;
  };
  put(integers(link, position));
  for (const message of messages) {
    put(integers(message.length));
    put(message);
  }
  return payload.subarray(0, at);
}

function integers(...values: readonly number[]): Uint8Array {
  writer.begin(values.length, 0);
  for (const value of values) writer.integer(value);
  return writer.finish();
}

/** The messages are views. */
export function decodeForeign(payload: Uint8Array): Foreign {
  reader.begin(payload);
  const link = reader.integer();
  const position = reader.integer();
  const messages: Uint8Array[] = [];
  while (!reader.atEnd) messages.push(reader.take(reader.integer()));
  reader.end();
  return { link, position, messages };
}

/** How a root's channels stand to a hub. */
export interface SpanRecord extends LogPlace {
  readonly link: Link;
  /** The last ones, this one among them. */
  readonly links: readonly Link[];
}

export function encodeSpan({ link, links, ...place }: SpanRecord): Uint8Array {
  const up = encodeUp(link, place);
  return joined(up, new Uint8Array(integers(links.length, ...links)));
}

export function decodeSpan(payload: Uint8Array): SpanRecord {
  reader.begin(payload);
  const link = reader.integer();
  const epoch = readText();
  const position = reader.integer();
  const links: Link[] = [];
  for (let left = reader.integer(); left > 0; left -= 1) links.push(reader.integer());
  reader.end();
  return { link, epoch, position, links };
}

/** A message that waits for its place in a hub's order. */
export interface WaitingPost extends PostId {
  /** As `encodeMessage` made it. */
  readonly message: Uint8Array;
}

export function encodeWaiting({ session, sequence, message }: WaitingPost): Uint8Array {
  return joined(integers(session, sequence), message);
}

/** The message is a copy. */
export function decodeWaiting(payload: Uint8Array): WaitingPost {
  reader.begin(payload);
  const session = reader.integer();
  const sequence = reader.integer();
  return { session, sequence, message: new Uint8Array(reader.rest()) };
}
