import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { JournalRecord } from '../journal/machine.ts';
import { PayloadReader } from '../journal/payload-reader.ts';
import { PayloadWriter } from '../journal/payload-writer.ts';
import type { MapListener, SetOutcome } from './map-area.ts';
import type { MapReads } from './map-overlay.ts';
import { damaged } from './map-records.ts';
import { ACCEPTED, type MapState } from './map-state.ts';
import { bytesAfter, extentOf, performSteps, readStep, writeSteps } from './map-steps.ts';
import type { MapStep } from './map-steps.ts';

/*
 * The payload of a map's record BATCH. docs/FORMAT.md, "Maps", is the same in words.
 *
 *   BATCH  flags, [url], [digest of all keys], n, n times: flags, key, [value or its digest]; then steps to the end
 */

const URL = 4;
const URL_WIDE = 8;
const URL_RELATIVE = 16;
const KEYS = 32;
const BATCH_FLAGS = URL | URL_WIDE | URL_RELATIVE | KEYS;

const KEY_WIDE = 1;
const VALUE_WIDE = 2;
const VALUE = 4;
const DIGEST = 8;

const DIGEST_BYTES = 16;
/** A longer value is expected by its digest. In code units. */
const PLAIN_UNITS = 32;

/** What a value, or nothing, is expected to be. */
interface Expectation {
  readonly key: string;
  /** Null where none is expected; bytes: the digest of the value. */
  readonly value: string | Buffer | null;
}

/** A batch as it was written: where the map is as expected, the steps are performed, all or none. */
export interface MapBatch {
  /** Null: the map's own. */
  readonly url: string | null;
  readonly isRelative: boolean;
  /** Of all keys in their order; null: they may be any. */
  readonly keys: Buffer | null;
  readonly expectations: readonly Expectation[];
  readonly steps: readonly MapStep[];
}

const CONFLICT: SetOutcome = Object.freeze({ accepted: false, quota: 0, requested: 0, conflict: true });

const payload = new PayloadWriter();
const reader = new PayloadReader(damaged);

/** `ownUrl` is the map's own url. The payload is valid until the next call. */
export function encodeBatch(ownUrl: string, url: string, reads: MapReads, steps: readonly MapStep[]): Uint8Array {
  const { strings, units } = extentOf(steps);
  let more = url.length;
  for (const [key, value] of reads.values) more += key.length + Math.min(PLAIN_UNITS, value?.length ?? 0);
  // A digest takes no more room than a string is given.
  payload.begin(strings + 2 + 2 * reads.values.size, units + more);
  payload.byte(0);
  if (url !== ownUrl) writeUrl(ownUrl, url);
  if (reads.keys !== null) {
    payload.mark(0, KEYS);
    writeDigest(digestOfKeys(reads.keys));
  }
  payload.integer(reads.values.size);
  for (const [key, value] of reads.values) writeExpectation(key, value);
  writeSteps(payload, steps);
  return payload.finish();
}

function writeUrl(ownUrl: string, url: string): void {
  const isRelative = url.startsWith(ownUrl);
  const isWide = payload.string(isRelative ? url.slice(ownUrl.length) : url);
  payload.mark(0, URL | (isWide ? URL_WIDE : 0) | (isRelative ? URL_RELATIVE : 0));
}

function writeExpectation(key: string, value: string | null): void {
  const flags = payload.length;
  payload.byte(0);
  if (payload.string(key)) payload.mark(flags, KEY_WIDE);
  if (value === null) return;
  payload.mark(flags, VALUE);
  if (value.length > PLAIN_UNITS) {
    payload.mark(flags, DIGEST);
    writeDigest(digestOf(value));
  } else if (payload.string(value)) payload.mark(flags, VALUE_WIDE);
}

function writeDigest(digest: Uint8Array): void {
  for (const byte of digest) payload.byte(byte);
}

function digestOf(value: string): Buffer {
  return createHash('sha256').update(Buffer.from(value, 'utf16le')).digest().subarray(0, DIGEST_BYTES);
}

/** Each key behind its length, so that no two lists have the same bytes. */
function digestOfKeys(keys: readonly string[]): Buffer {
  const hash = createHash('sha256');
  const length = Buffer.alloc(4);
  for (const key of keys) {
    length.writeUInt32LE(key.length);
    hash.update(length).update(Buffer.from(key, 'utf16le'));
  }
  return hash.digest().subarray(0, DIGEST_BYTES);
}

/** @throws HoldfastError `journal-damaged` */
export function decodeBatch(bytes: Uint8Array): MapBatch {
  reader.begin(bytes);
  const flags = reader.byte();
  if ((flags & ~BATCH_FLAGS) !== 0) throw damaged('unknown flags');
  const url = (flags & URL) === 0 ? null : reader.string((flags & URL_WIDE) !== 0);
  const keys = (flags & KEYS) === 0 ? null : Buffer.from(reader.take(DIGEST_BYTES));
  const expectations: Expectation[] = [];
  for (let left = reader.integer(); left > 0; left--) expectations.push(readExpectation());
  const steps: MapStep[] = [];
  while (!reader.atEnd) steps.push(readStep(reader));
  reader.end();
  return { url, isRelative: (flags & URL_RELATIVE) !== 0, keys, expectations, steps };
}

function readExpectation(): Expectation {
  const flags = reader.byte();
  if (flags > (KEY_WIDE | VALUE_WIDE | VALUE | DIGEST)) throw damaged('unknown flags');
  const key = reader.string((flags & KEY_WIDE) !== 0);
  if ((flags & DIGEST) !== 0) return { key, value: Buffer.from(reader.take(DIGEST_BYTES)) };
  return { key, value: (flags & VALUE) === 0 ? null : reader.string((flags & VALUE_WIDE) !== 0) };
}

/** The writer's url, where `ownUrl` is the map's. */
export function urlOf({ url, isRelative }: MapBatch, ownUrl: string): string {
  if (url === null) return ownUrl;
  return isRelative ? ownUrl + url : url;
}

/** Whether the map is as the batch expects it. */
export function isAsExpected({ keys, expectations }: MapBatch, state: MapState): boolean {
  if (!expectations.every((expected) => isMet(expected, state.get(expected.key) ?? null))) return false;
  return keys === null || keys.equals(digestOfKeys(state.keys()));
}

function isMet({ value: expected }: Expectation, value: string | null): boolean {
  if (expected === null || typeof expected === 'string') return expected === value;
  return value !== null && value.length > PLAIN_UNITS && expected.equals(digestOf(value));
}

/** What the quota says to the steps, which are judged by what they come to. */
export function judge(steps: readonly MapStep[], state: MapState): SetOutcome {
  const requested = bytesAfter(state, steps);
  return requested <= state.bytes || requested <= state.quota ? ACCEPTED : { accepted: false, quota: state.quota, requested };
}

/** Applies a BATCH record to a map that `listener` hears of. */
export function performBatch({ payload, session }: JournalRecord, state: MapState, ownUrl: string, listener: MapListener | null): SetOutcome {
  const batch = decodeBatch(payload);
  if (!isAsExpected(batch, state)) return CONFLICT;
  const outcome = judge(batch.steps, state);
  if (!outcome.accepted) return outcome;
  const url = urlOf(batch, ownUrl);
  performSteps(state, batch.steps, listener === null ? undefined : (key, oldValue, newValue) => listener({ key, oldValue, newValue, url, session }));
  return ACCEPTED;
}

/** Whether what was found in a map is still so. */
export function stillHolds({ values, keys }: MapReads, state: MapState): boolean {
  for (const [key, value] of values) if ((state.get(key) ?? null) !== value) return false;
  if (keys === null) return true;
  const now = state.keys();
  return now.length === keys.length && now.every((key, index) => key === keys[index]);
}
