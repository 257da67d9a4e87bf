import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { PayloadReader } from '../journal/payload-reader.ts';
import { PayloadWriter } from '../journal/payload-writer.ts';
import { extentOf, readStep, writeSteps } from '../map/map-steps.ts';
import type { MapStep } from '../map/map-steps.ts';

/*
 * The payloads of a coordinator's journal. docs/FORMAT.md, "Coordinators", is the same in words.
 *
 *   OWN     expected epoch, address
 *   TURN    flags, [time, attempt], n × (caller, number), n × (caller, number), n × (caller, number, kind, [bytes]), steps
 *   LEAVE   nothing
 *
 *   STATE   version, epoch, session, address, flag, [time, attempt]      (in snapshots only, as all that follow)
 *   CALLER  caller, got, n × (number, kind, [bytes])
 *   ENTRIES as of maps
 */
export const OWN = 1;
export const TURN = 2;
export const LEAVE = 3;

export const STATE = 1;
export const CALLER = 2;
export const ENTRIES = 3;

export const RULES_VERSION = 1;

const ALARM_CHANGED = 1;
const ALARM_SET = 2;

/** Who runs a coordinator. */
export interface Owner {
  /** Of the records by which it owns. */
  readonly session: number;
  /** Where it can be called: the name of its socket. */
  readonly address: string;
}

/** When a coordinator is to be woken. */
export interface Alarm {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** How often it has failed since it was set. */
  readonly attempt: number;
}

/** A call, by whoever made it: a random integer of its own, and how many calls it had made before. */
export interface CallId {
  readonly caller: number;
  readonly number: number;
}

/** What became of a call: `large`: it ended, with a result that was too large to be kept. */
export type Fate =
  | { readonly kind: 'begun' | 'large' }
  | { readonly kind: 'value' | 'error'; readonly bytes: Uint8Array };

const FATES = ['begun', 'large', 'value', 'error'] as const;

/** What one turn of a coordinator comes to: all of it, or nothing. */
export interface Turn {
  readonly steps: readonly MapStep[];
  /** Undefined: as before; null: there is none any more. */
  readonly alarm: Alarm | null | undefined;
  /** Up to which call each caller has all results. */
  readonly got: readonly CallId[];
  /** Calls that have changed something and have not ended. */
  readonly begun: readonly CallId[];
  readonly ended: readonly (CallId & { readonly fate: Fate })[];
}

export function damaged(why: string): HoldfastError {
  return new HoldfastError('journal-damaged', `A record of a coordinator has a valid checksum but makes no sense: ${why}.`);
}

export function unknownRecord(what: string): HoldfastError {
  return new HoldfastError('unknown-record', `${what} is in the journal of a coordinator; a newer version of Holdfast must have written it.`);
}

const reader = new PayloadReader(damaged);

const NONE: readonly never[] = [];

/** An integer may take eight bytes, a string is given sixteen beside its own. */
const INTEGERS_PER_STRING = 2;

export function encodeOwn(expected: number, address: string): Uint8Array {
  const payload = new PayloadWriter();
  payload.begin(2, address.length);
  payload.integer(expected);
  payload.string(address);
  return payload.finish();
}

export function decodeOwn(bytes: Uint8Array): { readonly expected: number; readonly address: string } {
  reader.begin(bytes);
  const decoded = { expected: reader.integer(), address: reader.string(false) };
  reader.end();
  return decoded;
}

/** One for all coordinators. What it gives is valid until its next call. */
const turns = new PayloadWriter();

export function encodeTurn({ steps, alarm, got, begun, ended }: Turn): Uint8Array {
  const { strings, units } = extentOf(steps);
  const integers = 5 + 2 * (got.length + begun.length) + 4 * ended.length;
  turns.begin(strings + Math.ceil(integers / INTEGERS_PER_STRING) + 1, units + ended.reduce((sum, { fate }) => sum + bytesOf(fate), 0));
  turns.byte(alarm === undefined ? 0 : alarm === null ? ALARM_CHANGED : ALARM_CHANGED | ALARM_SET);
  if (alarm) writeAlarm(turns, alarm);
  writeIds(turns, got);
  writeIds(turns, begun);
  turns.integer(ended.length);
  for (const { caller, number, fate } of ended) {
    turns.integer(caller);
    turns.integer(number);
    writeFate(turns, fate);
  }
  writeSteps(turns, steps);
  return turns.finish();
}

function bytesOf(fate: Fate): number {
  return 'bytes' in fate ? fate.bytes.length : 0;
}

function writeAlarm(payload: PayloadWriter, { time, attempt }: Alarm): void {
  payload.integer(time);
  payload.integer(attempt);
}

function readAlarm(): Alarm {
  return { time: reader.integer(), attempt: reader.integer() };
}

function writeIds(payload: PayloadWriter, ids: readonly CallId[]): void {
  payload.integer(ids.length);
  for (const { caller, number } of ids) {
    payload.integer(caller);
    payload.integer(number);
  }
}

/** Mostly there is none, or one. */
function readMany<Item>(read: () => Item): readonly Item[] {
  const count = reader.integer();
  if (count === 0) return NONE;
  const all = [read()];
  while (all.length < count) all.push(read());
  return all;
}

function readId(): CallId {
  return { caller: reader.integer(), number: reader.integer() };
}

function readEnded(): CallId & { readonly fate: Fate } {
  return { caller: reader.integer(), number: reader.integer(), fate: readFate() };
}

function writeFate(payload: PayloadWriter, fate: Fate): void {
  payload.byte(FATES.indexOf(fate.kind));
  if (!('bytes' in fate)) return;
  payload.integer(fate.bytes.length);
  for (const byte of fate.bytes) payload.byte(byte);
}

function readFate(): Fate {
  const kind = FATES[reader.byte()];
  if (kind === undefined) throw damaged('a call ended in an unknown way');
  return kind === 'begun' || kind === 'large' ? { kind } : { kind, bytes: new Uint8Array(reader.take(reader.integer())) };
}

export function decodeTurn(bytes: Uint8Array): Turn {
  reader.begin(bytes);
  const flags = reader.byte();
  if (flags > (ALARM_CHANGED | ALARM_SET) || flags === ALARM_SET) throw damaged('unknown flags');
  const alarm = flags === 0 ? undefined : flags === ALARM_CHANGED ? null : readAlarm();
  const got = readMany(readId);
  const begun = readMany(readId);
  const ended = readMany(readEnded);
  const steps: MapStep[] = [];
  while (!reader.atEnd) steps.push(readStep(reader));
  reader.end();
  return { steps, alarm, got, begun, ended };
}

/** What a snapshot begins with. */
export interface StateRecord {
  readonly epoch: number;
  /** Null: nobody. */
  readonly owner: Owner | null;
  readonly alarm: Alarm | null;
}

export function encodeState({ epoch, owner, alarm }: StateRecord): Uint8Array {
  const payload = new PayloadWriter();
  payload.begin(5, owner?.address.length ?? 0);
  payload.integer(RULES_VERSION);
  payload.integer(epoch);
  payload.integer(owner?.session ?? 0);
  payload.string(owner?.address ?? '');
  payload.byte(alarm === null ? 0 : 1);
  if (alarm !== null) writeAlarm(payload, alarm);
  return payload.finish();
}

export function decodeState(bytes: Uint8Array): StateRecord {
  reader.begin(bytes);
  const version = reader.integer();
  if (version !== RULES_VERSION) throw unknownRecord(`Version ${version} of the rules`);
  const epoch = reader.integer();
  const session = reader.integer();
  const address = reader.string(false);
  const alarm = reader.byte() === 0 ? null : readAlarm();
  reader.end();
  return { epoch, owner: session === 0 ? null : { session, address }, alarm };
}

/** What is remembered of one caller. */
export interface CallerRecord {
  readonly caller: number;
  readonly got: number;
  readonly calls: Iterable<readonly [number: number, fate: Fate]>;
}

export function encodeCaller({ caller, got, calls }: CallerRecord): Uint8Array {
  const all = [...calls];
  const payload = new PayloadWriter();
  payload.begin(2 + 2 * all.length, all.reduce((sum, [, fate]) => sum + bytesOf(fate), 0));
  payload.integer(caller);
  payload.integer(got);
  payload.integer(all.length);
  for (const [number, fate] of all) {
    payload.integer(number);
    writeFate(payload, fate);
  }
  return payload.finish();
}

export function decodeCaller(bytes: Uint8Array): CallerRecord {
  reader.begin(bytes);
  const caller = reader.integer();
  const got = reader.integer();
  const calls: [number, Fate][] = [];
  for (let left = reader.integer(); left > 0; left--) calls.push([reader.integer(), readFate()]);
  reader.end();
  return { caller, got, calls };
}
