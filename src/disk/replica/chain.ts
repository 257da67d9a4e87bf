import { Buffer } from 'node:buffer';
import type * as Crypto from 'node:crypto';
import type { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { writeMark } from './operation.ts';
import type { Operation, OperationMark } from './operation.ts';

/**
 * What tells a history of an incarnation from every other one: a digest over all of its operations up to one of them,
 * in hexadecimal. Two copies of a running machine go on with the same ids, and may even do the same again after they
 * had done different things: then the operations are equal, and their chains are not.
 */
export type Chain = string;

const BYTES = 16;

/** Before the first operation of an incarnation. */
export const NO_CHAIN: Chain = '00'.repeat(BYTES);

/** Integers of an operation's head take no more than 8 + 8 + 1 + 5 bytes. */
const HEAD_BYTES = BYTES + 32;

/** A payload up to here is put behind the head: one call for both is faster than three. */
const SMALL_BYTES = 4096;

const whole = Buffer.alloc(HEAD_BYTES + SMALL_BYTES);

/** An object, so that a test can put another rule in its place. */
export const chains = {
  /** The chain up to `operation`, where `before` is the one up to what comes before it in its incarnation. */
  after(before: Chain, { session, sequence, kind, payload }: Operation): Chain {
    whole.write(before, 0, BYTES, 'hex');
    let at = putInteger(sequence, putInteger(session, BYTES));
    whole[at++] = kind;
    at = putInteger(payload.length, at);
    if (payload.length > SMALL_BYTES) return digestOf(whole.subarray(0, at), payload);
    whole.set(payload, at);
    return digestOf(whole.subarray(0, at + payload.length));
  },
};

function putInteger(value: number, start: number): number {
  let at = start;
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) whole[at++] = (rest % 0x80) | 0x80;
  whole[at++] = rest;
  return at;
}

/** What entries and bases of version 1 have in place of a chain, which knew of the last operation only. */
export function chainOfMark(mark: OperationMark): Chain {
  if (mark.session === 0) return NO_CHAIN;
  const writer = new ByteWriter();
  writeMark(writer, mark);
  return digestOf(writer.finish());
}

let crypto: typeof Crypto | undefined;

/** The first half of the SHA-256. Loaded only where a map follows a hub. */
function digestOf(first: Uint8Array, second?: Uint8Array): Chain {
  const { hash, createHash } = (crypto ??= process.getBuiltinModule('node:crypto'));
  // Not every runtime has it.
  if (second === undefined && typeof hash === 'function') return hash('sha256', first, 'hex').slice(0, 2 * BYTES);
  const digest = createHash('sha256').update(first);
  if (second !== undefined) digest.update(second);
  return digest.digest('hex').slice(0, 2 * BYTES);
}

export function writeChain(writer: ByteWriter, chain: Chain): void {
  writer.raw(Buffer.from(chain, 'hex'));
}

export function readChain(reader: ByteReader): Chain {
  return reader.take(BYTES).toString('hex');
}
