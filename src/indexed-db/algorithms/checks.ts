import { domException } from '../../webidl/dom-exception.ts';
import type { Transaction } from '../model/transaction.ts';

/** @throws TransactionInactiveError. https://w3c.github.io/IndexedDB/#transaction-active */
export function requireActive(transaction: Transaction, context: string): void {
  if (transaction.state === 'active') return;
  const why = transaction.state === 'finished' ? 'has ended' : 'is not active: it is no task of its own that runs now';
  throw domException('TransactionInactiveError', `${context}: the transaction ${why}.`);
}

/** @throws ReadOnlyError */
export function requireWritable(transaction: Transaction, context: string): void {
  if (transaction.isReadOnly) throw domException('ReadOnlyError', `${context}: the transaction is read-only.`);
}
