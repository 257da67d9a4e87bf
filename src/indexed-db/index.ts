import { IDBCursor, IDBCursorWithValue } from './cursor.ts';
import { IDBDatabase } from './database.ts';
import { IDBFactory } from './factory.ts';
import { IDBKeyRange } from './key-range.ts';
import { IDBObjectStore } from './object-store.ts';
import { IDBOpenDBRequest } from './open-request.ts';
import { IDBRecord } from './record.ts';
import { IDBRequest } from './request.ts';
import { IDBIndex } from './store-index.ts';
import { DOMStringList } from './string-list.ts';
import { IDBTransaction } from './transaction.ts';
import { IDBVersionChangeEvent } from './version-change-event.ts';

export { createFactory, endFactory } from './factory.ts';
export type { IDBRequest };
export type { IndexedDBPlace } from './place.ts';

/** The interface objects, by the names of their globals. https://w3c.github.io/IndexedDB/#idl-index */
export const interfaces = {
  DOMStringList,
  IDBCursor,
  IDBCursorWithValue,
  IDBDatabase,
  IDBFactory,
  IDBIndex,
  IDBKeyRange,
  IDBObjectStore,
  IDBOpenDBRequest,
  IDBRecord,
  IDBRequest,
  IDBTransaction,
  IDBVersionChangeEvent,
} as const;
