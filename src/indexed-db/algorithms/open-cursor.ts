import type { Direction, Range } from '../../disk/records/record-database.ts';
import { internal } from '../../webidl/interface.ts';
import { IDBCursor, IDBCursorWithValue } from '../cursor.ts';
import { Cursor } from '../model/cursor.ts';
import { Request } from '../model/request.ts';
import type { Transaction } from '../model/transaction.ts';
import type { IDBObjectStore } from '../object-store.ts';
import { Iterate } from '../operations/iterate.ts';
import type { Source } from '../operations/source.ts';
import { IDBRequest } from '../request.ts';
import type { IDBIndex } from '../store-index.ts';

/** Places the request of a new cursor. https://w3c.github.io/IndexedDB/#dom-idbobjectstore-opencursor */
export function openCursor(
  handle: IDBObjectStore | IDBIndex,
  transaction: Transaction,
  source: Source,
  range: Range | null,
  direction: Direction,
  isKeyOnly: boolean,
): IDBRequest {
  const cursor = new Cursor(transaction, source, range, direction, isKeyOnly);
  const object = isKeyOnly ? new IDBCursor(internal, cursor, handle) : new IDBCursorWithValue(internal, cursor, handle);
  cursor.request = new Request(handle, transaction, new Iterate(cursor, object, null, 1));
  const request = new IDBRequest(internal, cursor.request);
  transaction.place(cursor.request);
  return request;
}
