import { Buffer } from 'node:buffer';
import { HoldfastError } from '../../../runtime/holdfast-error.ts';
import type { HubEntry, HubSnapshot, LogHead } from '../../hub.ts';

/*
 * What the statements give, as it comes: whoever may write to the tables can have put anything there, and a pooler or a
 * server that is none can answer anything.
 */

/** A row, by its columns. */
export type Row = Readonly<Record<string, unknown>>;

/** @throws HoldfastError `hub-damaged` */
export function headIn({ epoch, head, trimmed }: Row): LogHead {
  if (typeof epoch !== 'string' || !isPosition(head) || !isPosition(trimmed)) throw damaged('the head of the log');
  return { epoch, position: head, first: trimmed + 1 };
}

/** What one reading gives. */
export interface EntriesIn {
  readonly head: number;
  readonly trimmed: number;
  readonly entries: readonly HubEntry[];
}

/** @throws HoldfastError `hub-damaged` */
export function entriesIn(rows: readonly Row[]): EntriesIn {
  const { head = 0, trimmed = 0 } = rows[0] ?? {};
  if (!isPosition(head) || !isPosition(trimmed)) throw damaged('the entries of the log');
  // A log without entries is one row all the same.
  const filled = rows.filter(({ position }) => position !== null);
  return { head, trimmed, entries: filled.map((row) => valueIn(row, 'an entry of the log')) };
}

/** @throws HoldfastError `hub-damaged` */
export function snapshotIn(row: Row): HubSnapshot {
  return valueIn(row, 'the snapshot of the log');
}

function valueIn({ position, bytes }: Row, what: string): { position: number; bytes: Uint8Array } {
  if (!isPosition(position) || typeof bytes !== 'string') throw damaged(what);
  return { position, bytes: bytesIn({ bytes }) };
}

/**
 * As `encode(bytes, 'base64')` has it.
 *
 * @throws HoldfastError `hub-damaged`
 */
export function bytesIn({ bytes }: Row): Uint8Array {
  if (typeof bytes !== 'string') throw damaged('the bytes');
  return Buffer.from(bytes, 'base64');
}

/** @throws HoldfastError `hub-damaged` */
export function nameIn({ name }: Row): string {
  if (typeof name !== 'string') throw damaged('the name of a blob');
  return name;
}

/** @throws HoldfastError `hub-damaged` */
export function countIn(row: Row | undefined): number {
  const count = row?.['removed'];
  if (!isPosition(count)) throw damaged('how many were removed');
  return count;
}

/**
 * Positions that `array_to_string` has put together.
 *
 * @throws HoldfastError `hub-damaged`
 */
export function headsIn(row: Row | undefined, count: number): readonly number[] {
  const heads = typeof row?.['heads'] === 'string' ? row['heads'].split(' ').map(Number) : [];
  if (heads.length !== count || !heads.every(isPosition)) throw damaged('where the logs end');
  return heads;
}

function isPosition(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function damaged(what: string): HoldfastError {
  return new HoldfastError('hub-damaged', `What the database says of ${what} makes no sense.`);
}
