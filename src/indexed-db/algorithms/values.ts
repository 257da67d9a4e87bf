import type { EncodedKey } from '../../disk/records/key.ts';
import type { KeyPath } from '../../disk/records/record-database.ts';
import { toKey } from './keys.ts';
import { requireActive } from './checks.ts';
import type { Transaction } from '../model/transaction.ts';
import { WrittenValue } from '../values/written-value.ts';

/**
 * Takes a value as it is now. Its getters run while nothing can be placed in the transaction.
 *
 * @throws DataCloneError, and what getters throw; TransactionInactiveError where one has ended the transaction
 * @see https://w3c.github.io/IndexedDB/#clone-value
 */
export function serialize(transaction: Transaction, value: unknown, context: string): WrittenValue {
  const { platform } = transaction.connection.database;
  const written = transaction.whileInactive(() => new WrittenValue(value, platform));
  requireActive(transaction, context);
  return written;
}

/**
 * Null: the path leads nowhere.
 *
 * @throws DataError. https://w3c.github.io/IndexedDB/#extract-a-key-from-a-value-using-a-key-path
 */
export function keyOfClone(value: WrittenValue, path: KeyPath, context: string): EncodedKey | null {
  const found = value.at(path);
  return found === undefined ? null : toKey(found, `${context}: what the key path leads to`);
}
