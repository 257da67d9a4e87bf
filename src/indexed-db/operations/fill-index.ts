import type { StoredRecord, StoredValue } from '../../disk/records/record-database.ts';
import type { PlatformData, PlatformObjects } from '../../disk/values/platform-objects.ts';
import { readValue } from '../../disk/values/read-value.ts';
import { domException } from '../../webidl/dom-exception.ts';
import { evaluateInBytes } from '../algorithms/key-path.ts';
import type { Pause } from '../model/operation.ts';
import type { IndexModel } from '../model/store.ts';
import type { Transaction } from '../model/transaction.ts';
import { awaited } from '../values/read-stored.ts';
import { platformKinds } from '../../disk/values/platform-kinds.ts';
import { indexKeysOf } from './put.ts';
import { queryOf } from './source.ts';

/** How many records are read at a time, and how many bytes: nothing can be written while they are read. */
const BATCH = 64;
const BATCH_BYTES = 256 * 1024;

/**
 * Gives a new index the keys of the records that are there.
 *
 * @throws ConstraintError where two have a key of a unique index
 */
export function* fillIndex(transaction: Transaction, index: IndexModel): Generator<Pause, undefined, unknown> {
  for (let batch = readBatch(transaction, index, undefined); batch.length > 0; batch = readBatch(transaction, index, batch[batch.length - 1])) {
    for (const { primaryKey, value } of batch) {
      if (value === null) continue;
      const loading = transaction.engine.load(value);
      addKeys(transaction, index, primaryKey, loading === null ? value : yield* awaited(loading));
      yield;
    }
  }
  return undefined;
}

function readBatch(transaction: Transaction, index: IndexModel, after: StoredRecord | undefined): StoredRecord[] {
  const scan = transaction.engine.scan({ ...queryOf(index.store, null, 'next', true), ...(after && { after }) });
  const records: StoredRecord[] = [];
  let bytes = 0;
  try {
    for (let record = scan.next(); record !== undefined; record = records.length < BATCH && bytes < BATCH_BYTES ? scan.next() : undefined) {
      records.push(record);
      bytes += record.value?.bytes.length ?? 0;
    }
  } finally {
    scan.close();
  }
  return records;
}

function addKeys(transaction: Transaction, index: IndexModel, primaryKey: Uint8Array, value: StoredValue): void {
  const [keys] = indexKeysOf([index], (path) => evaluateInBytes(value.bytes, path, () => readValue(value.bytes, onlyForKeys)));
  if (keys === undefined || transaction.upgrader.fillIndex(index.store.id, primaryKey, keys) === null) return;
  throw domException('ConstraintError', `The index '${index.name}' is unique, and two records have the same key in it.`);
}

/** Key paths find in a Blob what is written of it; nothing has to be opened for that. */
const onlyForKeys: PlatformObjects = {
  serialize: () => null,
  deserialize: ({ kind, data }: PlatformData): object => (kind === platformKinds.blob || kind === platformKinds.file ? { ...(data as object) } : {}),
};
