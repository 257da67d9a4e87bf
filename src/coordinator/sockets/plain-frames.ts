import type { Buffer } from 'node:buffer';
import { tags } from '../../disk/values/tags.ts';
import { ValueBytes } from '../../disk/values/value-bytes.ts';
import type { Call } from '../call.ts';
import { NO_ARGUMENTS, type Reply } from '../messages.ts';
import type { CoordinatorKey } from '../store.ts';
import { encodeFrame, endOfMessage, HEAD_BYTES, LENGTH_BYTES } from './frames.ts';
import { CALL, callMessage, REPLY } from './messages.ts';

/*
 * Calls and replies, which nearly all frames are, written and read without a value in between. The bytes are those of
 * `encodeFrame` and `callMessage`, and what is read is what `decodeFrame` and `readCall` make of them: whatever is not as most
 * calls and replies are is left to these.
 */

/** Parts of the two messages. */
const CALL_PARTS = 11;
const REPLY_PARTS = 3;

/** What is filled in when the rest is known. */
const noHead = new Uint8Array(HEAD_BYTES);

export function encodeCall(id: number, key: CoordinatorKey, call: Call): Uint8Array {
  if (call.chain.length > 0) return encodeFrame(callMessage(id, key, call), call.args);
  const bytes = begin(CALL_PARTS);
  bytes.number(CALL);
  bytes.number(id);
  bytes.string(key.origin);
  bytes.string(key.className);
  bytes.string(key.name);
  bytes.number(call.caller);
  bytes.number(call.number);
  bytes.number(call.got);
  bytes.string(call.method);
  array(bytes, 0);
  bytes.byte(tags.end);
  bytes.byte(call.isAgain ? tags.true : tags.false);
  return finish(bytes, call.args);
}

export function encodeReply(id: number, { kind, bytes: result }: Reply): Uint8Array {
  const bytes = begin(REPLY_PARTS);
  bytes.number(REPLY);
  bytes.number(id);
  bytes.string(kind);
  return finish(bytes, result);
}

function begin(parts: number): ValueBytes {
  const bytes = new ValueBytes();
  bytes.raw(noHead);
  array(bytes, parts);
  return bytes;
}

function array(bytes: ValueBytes, length: number): void {
  bytes.byte(tags.array);
  bytes.integer(length);
  bytes.integer(length);
}

function finish(bytes: ValueBytes, content: Uint8Array): Uint8Array {
  bytes.byte(tags.end);
  const { length } = bytes;
  bytes.raw(content);
  bytes.putUint32(0, bytes.length - LENGTH_BYTES);
  bytes.putUint32(LENGTH_BYTES, length - HEAD_BYTES);
  return bytes.finish(true);
}

/** A call as it has come. */
export interface ReceivedCall {
  readonly id: number;
  readonly key: CoordinatorKey;
  readonly call: Call;
}

const NO_LINKS: Call['chain'] = [];

/** Null: it is another message, or has to be looked at more closely. @throws FrameError */
export function readPlainCall(frame: Buffer): ReceivedCall | null {
  const end = endOfMessage(frame);
  reader.begin(frame, end);
  if (!reader.passArray(CALL_PARTS) || reader.number() !== CALL) return null;
  const id = reader.number();
  const [origin, className, name] = [reader.text(), reader.text(), reader.text()];
  const [caller, number, got] = [reader.number(), reader.number(), reader.number()];
  const method = reader.text();
  if (!reader.passArray(0) || !reader.pass(tags.end) || !reader.pass(tags.false) || !reader.passLast()) return null;
  const args = frame.subarray(end);
  return { id, key: { origin, className, name }, call: { caller, number, got, isAgain: false, method, args: isNone(args) ? NO_ARGUMENTS : args, chain: NO_LINKS } };
}

function isNone(args: Buffer): boolean {
  if (args.length !== NO_ARGUMENTS.length) return false;
  for (let at = 0; at < args.length; at++) if (args[at] !== NO_ARGUMENTS[at]) return false;
  return true;
}

/** Null: it is another message, or has to be looked at more closely. @throws FrameError */
export function readPlainReply(frame: Buffer): { readonly id: number; readonly reply: Reply } | null {
  const end = endOfMessage(frame);
  reader.begin(frame, end);
  if (!reader.passArray(REPLY_PARTS) || reader.number() !== REPLY) return null;
  const id = reader.number();
  const kind = reader.text();
  if (!reader.passLast() || (kind !== 'value' && kind !== 'error')) return null;
  return { id, reply: { kind, bytes: frame.subarray(end) } };
}

/** Texts that were read, each at the place that its bytes give: they come again and again. */
const knownTexts: string[] = [];
const PLACES = 0x3ff;
const LONGEST_KNOWN = 64;

/** Reads parts of a message; what it cannot read it takes note of, and all after that means nothing. */
class PlainReader {
  #bytes: Buffer | null = null;
  #at = 0;
  #end = 0;
  #hasFailed = false;

  begin(frame: Buffer, end: number): void {
    this.#bytes = frame;
    this.#at = HEAD_BYTES;
    this.#end = end;
    this.#hasFailed = false;
  }

  /** Whether all was as it should be, and the message ends here. */
  passLast(): boolean {
    const isLast = this.pass(tags.end) && this.#at === this.#end && !this.#hasFailed;
    this.#bytes = null;
    return isLast;
  }

  #byte(): number {
    return (this.#at < this.#end ? this.#bytes?.[this.#at++] : undefined) ?? this.#fail();
  }

  #fail(): number {
    this.#hasFailed = true;
    return 0;
  }

  pass(tag: number): boolean {
    return this.#byte() === tag;
  }

  passArray(length: number): boolean {
    return this.pass(tags.array) && this.pass(length) && this.pass(length);
  }

  /** A safe integer that is not negative. */
  number(): number {
    const tag = this.#byte();
    if (tag === tags.integer) return this.#integer();
    return tag === tags.double ? this.#double() : this.#fail();
  }

  #integer(): number {
    let zigzag = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.#byte();
      zigzag += (byte & 0x7f) * scale;
      if (zigzag >= 2 ** 32) return this.#fail();
      if (byte < 0x80) return zigzag % 2 === 0 ? zigzag / 2 : this.#fail();
    }
  }

  #double(): number {
    const start = this.#at;
    this.#at += 8;
    if (this.#at > this.#end) return this.#fail();
    const value = this.#bytes?.readDoubleLE(start) ?? -1;
    return Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0) ? value : this.#fail();
  }

  /** A short one of Latin-1. */
  text(): string {
    if (this.#byte() !== tags.latin1) return this.#noText();
    const length = this.#byte();
    const start = this.#at;
    this.#at += length;
    if (length > LONGEST_KNOWN || this.#at > this.#end) return this.#noText();
    const place = this.#placeOf(start, length);
    const known = knownTexts[place];
    return known !== undefined && this.#isAt(start, known, length) ? known : (knownTexts[place] = this.#bytes?.toString('latin1', start, this.#at) ?? '');
  }

  #noText(): string {
    this.#fail();
    return '';
  }

  #placeOf(start: number, length: number): number {
    let place = length;
    for (let at = start; at < start + length; at++) place = (31 * place + (this.#bytes?.[at] ?? 0)) & PLACES;
    return place;
  }

  #isAt(start: number, text: string, length: number): boolean {
    if (text.length !== length) return false;
    for (let at = 0; at < length; at++) if (this.#bytes?.[start + at] !== text.charCodeAt(at)) return false;
    return true;
  }
}

const reader = new PlainReader();
