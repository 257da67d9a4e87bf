import type { IDBCursorWithValue } from '../../../src/indexed-db/cursor.ts';
import type { IDBDatabase } from '../../../src/indexed-db/database.ts';
import type { IDBFactory } from '../../../src/indexed-db/factory.ts';
import type { IDBRequest } from '../../../src/indexed-db/request.ts';
import type { IDBTransaction } from '../../../src/indexed-db/transaction.ts';

/** The result of a request. */
export function result<T = unknown>(request: IDBRequest): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result as T);
    request.onerror = (event) => {
      event.preventDefault();
      reject(request.error as DOMException);
    };
  });
}

/** Resolves with `complete`, or with the name of the error that a transaction was aborted with. */
export function ended(transaction: IDBTransaction): Promise<string> {
  return new Promise((resolve) => {
    transaction.oncomplete = () => resolve('complete');
    transaction.onabort = () => resolve(transaction.error?.name ?? 'abort');
  });
}

/** A connection whose first upgrade is `upgrade`. */
export function opened(factory: IDBFactory, name: string, upgrade: (database: IDBDatabase, transaction: IDBTransaction) => void = () => undefined, version = 1): Promise<IDBDatabase> {
  const request = factory.open(name, version);
  request.onupgradeneeded = () => upgrade(request.result as IDBDatabase, request.transaction as IDBTransaction);
  return result(request);
}

/** What `visit` gives for each record that a cursor comes to; it moves the cursor on, or does not. */
export function walked<T>(request: IDBRequest, visit: (cursor: IDBCursorWithValue) => T): Promise<T[]> {
  const found: T[] = [];
  return new Promise((resolve, reject) => {
    request.onerror = () => reject(request.error as DOMException);
    request.onsuccess = () => {
      const cursor = request.result as IDBCursorWithValue | null;
      if (cursor === null) resolve(found);
      else found.push(visit(cursor));
    };
  });
}
