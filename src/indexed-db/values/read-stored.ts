import type { StoredValue } from '../../disk/records/record-database.ts';
import { readValue } from '../../disk/values/read-value.ts';
import type { Pause } from '../model/operation.ts';
import type { Transaction } from '../model/transaction.ts';
import { readWithBlobs } from './stored-blobs.ts';

/** Whether a value can be had at once; else it takes `readInSteps`. */
export function isAtHand(transaction: Transaction, value: StoredValue): Promise<StoredValue> | boolean {
  return transaction.engine.load(value) ?? value.blobs.length === 0;
}

/** A value, from the bytes that a record holds. */
export function readAtOnce(transaction: Transaction, value: StoredValue): unknown {
  return readValue(value.bytes, transaction.connection.database.platform);
}

/** The same for one whose bytes, or Blobs, come from files. */
export function* readInSteps(transaction: Transaction, value: StoredValue, loading: Promise<StoredValue> | null): Generator<Pause, unknown, unknown> {
  const { platform, records } = transaction.connection.database;
  const loaded = loading === null ? value : yield* awaited(loading);
  if (loaded.blobs.length === 0) return readValue(loaded.bytes, platform);
  return yield* awaited(readWithBlobs(loaded.bytes, loaded.blobs, records.blobs, platform));
}

/** Waits within long work. */
export function* awaited<T>(promise: Promise<T>): Generator<Pause, T, unknown> {
  let result: T | undefined;
  yield promise.then((value) => {
    result = value;
  });
  return result as T;
}
