import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { PayloadReader } from '../journal/payload-reader.ts';
import { ByteWriter } from '../replica/byte-writer.ts';
import type { BucketEntry, BucketPolicies } from './policies.ts';

/*
 * The payloads of the register of an origin's buckets. docs/FORMAT.md, "Buckets", is the same in words.
 *
 *   OPEN     moment, name, policies, id of a new bucket or nothing, id of one that was found to be missing or nothing
 *   DELETE   moment, name
 *   PERSIST  moment, id
 *   EXPIRE   moment, id, when
 *   TICK     moment
 *   CLEARED  ids
 *
 * In snapshots:
 *   STATE    version of the rules
 *   BUCKET   name, policies, id
 *   DOOMED   ids
 */
export const kinds = { open: 1, delete: 2, persist: 3, expire: 4, tick: 5, cleared: 6 } as const;
export const snapshotKinds = { state: 1, bucket: 2, doomed: 3 } as const;

/** The rules by which records are applied. */
export const RULES_VERSION = 1;

const PERSISTED = 1;
const STRICT = 2;
const QUOTA = 4;
const EXPIRES = 8;
const FLAGS = PERSISTED | STRICT | QUOTA | EXPIRES;

/** What is asked of a bucket by whoever opens it. */
export interface Opening {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly name: string;
  /** Of a bucket that is there, all but durability and quota may change: to persisted, and to another end that is not null. */
  readonly policies: BucketPolicies;
  /** What a bucket that is not there yet is to be, or nothing: then none is made. */
  readonly id: string;
  /** A bucket whose directory somebody has taken away is no more. */
  readonly missing: string;
}

function damaged(why: string): HoldfastError {
  return new HoldfastError('journal-damaged', `A record of the register of buckets makes no sense: ${why}.`);
}

export function unknownRecord(kind: number): HoldfastError {
  return new HoldfastError('unknown-record', `A record of kind ${kind} is in the register of buckets; a newer version of Holdfast must have written it.`);
}

export function encodeOpening({ now, name, policies, id, missing }: Opening): Uint8Array {
  return writePolicies(new ByteWriter().integer(now).text(name), policies).text(id).text(missing).finish();
}

export function readOpening(payload: Uint8Array): Opening {
  return whole(payload, (from) => ({
    now: from.integer(),
    name: readText(from),
    policies: readPolicies(from),
    id: readText(from),
    missing: readText(from),
  }));
}

/** DELETE and PERSIST; of whom is a name or an id. */
export function encodeOne(now: number, which: string): Uint8Array {
  return new ByteWriter().integer(now).text(which).finish();
}

export function readOne(payload: Uint8Array): { readonly now: number; readonly which: string } {
  return whole(payload, (from) => ({ now: from.integer(), which: readText(from) }));
}

export function encodeExpire(now: number, id: string, expires: number): Uint8Array {
  return new ByteWriter().integer(now).text(id).text(String(expires)).finish();
}

export function readExpire(payload: Uint8Array): { readonly now: number; readonly id: string; readonly expires: number } {
  return whole(payload, (from) => ({ now: from.integer(), id: readText(from), expires: readNumber(from) }));
}

export function encodeTick(now: number): Uint8Array {
  return new ByteWriter().integer(now).finish();
}

export function readTick(payload: Uint8Array): number {
  return whole(payload, (from) => from.integer());
}

export function encodeIds(ids: readonly string[]): Uint8Array {
  const to = new ByteWriter();
  for (const id of ids) to.text(id);
  return to.finish();
}

export function readIds(payload: Uint8Array): string[] {
  return whole(payload, (from) => {
    const ids: string[] = [];
    while (!from.atEnd) ids.push(readText(from));
    return ids;
  });
}

export function encodeState(): Uint8Array {
  return new ByteWriter().integer(RULES_VERSION).finish();
}

/** @throws HoldfastError `unknown-record` for any other version of the rules than ours */
export function requireKnownRules(payload: Uint8Array): void {
  const version = whole(payload, (from) => from.integer());
  if (version === RULES_VERSION) return;
  throw new HoldfastError('unknown-record', `This register of buckets follows version ${version} of its rules; this Holdfast knows only ${RULES_VERSION}.`);
}

export function encodeBucket(entry: BucketEntry): Uint8Array {
  return writePolicies(new ByteWriter().text(entry.name), entry).text(entry.id).finish();
}

export function readBucket(payload: Uint8Array): BucketEntry {
  return whole(payload, (from) => ({ name: readText(from), ...readPolicies(from), id: readText(from) }));
}

function writePolicies(to: ByteWriter, { persisted, durability, quota, expires }: BucketPolicies): ByteWriter {
  to.byte((persisted ? PERSISTED : 0) | (durability === 'strict' ? STRICT : 0) | (quota === null ? 0 : QUOTA) | (expires === null ? 0 : EXPIRES));
  if (quota !== null) to.integer(quota);
  if (expires !== null) to.text(String(expires));
  return to;
}

function readPolicies(from: PayloadReader): BucketPolicies {
  const flags = from.byte();
  if ((flags & ~FLAGS) !== 0) throw damaged('unknown flags');
  return {
    persisted: (flags & PERSISTED) !== 0,
    durability: (flags & STRICT) === 0 ? 'relaxed' : 'strict',
    quota: (flags & QUOTA) === 0 ? null : from.integer(),
    expires: (flags & EXPIRES) === 0 ? null : readNumber(from),
  };
}

function readText(from: PayloadReader): string {
  return from.take(from.integer()).toString('utf8');
}

/** As JavaScript spells it. */
function readNumber(from: PayloadReader): number {
  const text = readText(from);
  const number = Number(text);
  if (!Number.isFinite(number) || String(number) !== text) throw damaged('a moment is no number');
  return number;
}

function whole<T>(payload: Uint8Array, read: (from: PayloadReader) => T): T {
  const reader = new PayloadReader(damaged);
  reader.begin(payload);
  const value = read(reader);
  reader.end();
  return value;
}
