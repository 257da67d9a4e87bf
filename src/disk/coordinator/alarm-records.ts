import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { PayloadReader } from '../journal/payload-reader.ts';
import { PayloadWriter } from '../journal/payload-writer.ts';
import type { CoordinatorKey } from './coordinator-place.ts';

/*
 * The payloads of a root's index of alarms. docs/FORMAT.md, "Alarms", is the same in words.
 *
 *   NOTE, MOVE, FORGET   flags, origin, class, name, epoch, time
 *   NOTES                n × what a NOTE has
 *
 *   RULES   version      (in snapshots only)
 */
export const NOTE = 1;
export const MOVE = 2;
export const FORGET = 3;
export const RULES = 4;
export const NOTES = 5;

export const RULES_VERSION = 1;

const NAME_WIDE = 1;
const ENCRYPTED = 2;

/** Strings and numbers of one. */
const PARTS = 5;

/** Which coordinator. */
export interface AlarmKey extends CoordinatorKey {
  /** Whether class and name are as they are called on the disk, which only the origin's key can read. */
  readonly isEncrypted?: boolean;
}

/** When a coordinator is to be looked at, as the owner of an epoch has said. */
export interface AlarmRecord {
  readonly key: AlarmKey;
  readonly epoch: number;
  /** Milliseconds since 1970. */
  readonly time: number;
}

const writer = new PayloadWriter();
const reader = new PayloadReader((why) => new HoldfastError('journal-damaged', `A record of alarms has a valid checksum but makes no sense: ${why}.`));

/** Valid until the next call. */
export function encodeAlarm(record: AlarmRecord): Uint8Array {
  return encodeAlarms([record]);
}

/** As {@link encodeAlarm}. */
export function encodeAlarms(records: readonly AlarmRecord[]): Uint8Array {
  let units = 0;
  for (const { key } of records) units += key.origin.length + key.className.length + key.name.length;
  writer.begin(PARTS * records.length, units);
  for (const record of records) put(record);
  return writer.finish();
}

function put({ key: { origin, className, name, isEncrypted }, epoch, time }: AlarmRecord): void {
  const start = writer.length;
  writer.byte(isEncrypted === true ? ENCRYPTED : 0);
  writer.string(origin);
  writer.string(className);
  if (writer.string(name)) writer.mark(start, NAME_WIDE);
  writer.integer(epoch);
  writer.integer(time);
}

export function decodeAlarm(payload: Uint8Array): AlarmRecord {
  reader.begin(payload);
  const record = read();
  reader.end();
  return record;
}

export function decodeAlarms(payload: Uint8Array): AlarmRecord[] {
  reader.begin(payload);
  const records: AlarmRecord[] = [];
  while (!reader.atEnd) records.push(read());
  reader.end();
  return records;
}

function read(): AlarmRecord {
  const flags = reader.byte();
  if (flags > (NAME_WIDE | ENCRYPTED)) throw unknown('What');
  const names = { origin: reader.string(false), className: reader.string(false), name: reader.string((flags & NAME_WIDE) !== 0) };
  const key: AlarmKey = (flags & ENCRYPTED) === 0 ? names : { ...names, isEncrypted: true };
  return { key, epoch: reader.integer(), time: reader.integer() };
}

export function encodeRules(): Uint8Array {
  return Uint8Array.of(RULES_VERSION);
}

export function requireRules(payload: Uint8Array): void {
  reader.begin(payload);
  const version = reader.integer();
  reader.end();
  if (version !== RULES_VERSION) throw unknown(`Version ${version} of the rules`);
}

export function unknown(what: string): HoldfastError {
  return new HoldfastError('unknown-record', `${what} is in the index of alarms; a newer version of Holdfast must have written it.`);
}
