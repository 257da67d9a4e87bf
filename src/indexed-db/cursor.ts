import { compareKeys, type EncodedKey } from '../disk/records/key.ts';
import { domException } from '../webidl/dom-exception.ts';
import { enforcedUnsignedLong } from '../webidl/integers.ts';
import { defineInterface, illegalConstructor, illegalInvocation, internal, requireArguments } from '../webidl/interface.ts';
import { requireActive, requireWritable } from './algorithms/checks.ts';
import { only, toKey } from './algorithms/keys.ts';
import { keyOfClone, serialize } from './algorithms/values.ts';
import type { Cursor, Target } from './model/cursor.ts';
import { IndexModel } from './model/store.ts';
import { Delete } from './operations/delete.ts';
import { Iterate } from './operations/iterate.ts';
import { Put } from './operations/put.ts';
import type { IDBIndex } from './store-index.ts';
import type { IDBObjectStore } from './object-store.ts';
import { type IDBRequest, placeRequest } from './request.ts';

/** https://w3c.github.io/IndexedDB/#enumdef-idbcursordirection */
export type IDBCursorDirection = 'next' | 'nextunique' | 'prev' | 'prevunique';

const interfaceName = 'IDBCursor';

let cursorOf: (object: IDBCursor) => Cursor;

/** A place among the records of a store or an index. https://w3c.github.io/IndexedDB/#cursor-interface */
export class IDBCursor {
  readonly #cursor: Cursor;
  readonly #source: IDBObjectStore | IDBIndex;

  static {
    cursorOf = (object) => IDBCursor.#of(object);
  }

  /** @internal */
  constructor(token: typeof internal, cursor: Cursor, source: IDBObjectStore | IDBIndex) {
    if (token !== internal) illegalConstructor();
    this.#cursor = cursor;
    this.#source = source;
  }

  static #of(object: IDBCursor): Cursor {
    if (!(#cursor in object)) throw illegalInvocation(interfaceName);
    return object.#cursor;
  }

  get source(): IDBObjectStore | IDBIndex {
    IDBCursor.#of(this);
    return this.#source;
  }

  get direction(): IDBCursorDirection {
    return IDBCursor.#of(this).direction;
  }

  get key(): unknown {
    return IDBCursor.#of(this).key;
  }

  get primaryKey(): unknown {
    return IDBCursor.#of(this).primaryKey;
  }

  get request(): IDBRequest {
    return IDBCursor.#of(this).request?.object as IDBRequest;
  }

  /**
   * Moves on by that many records.
   *
   * @throws TypeError for 0, TransactionInactiveError, InvalidStateError where it is on its way or at the end
   */
  advance(count: number): void {
    const cursor = IDBCursor.#of(this);
    requireArguments(arguments.length, 1, interfaceName, 'advance');
    const steps = enforcedUnsignedLong(count, failing('advance'));
    if (steps === 0) throw new TypeError(`${failing('advance')}: the count is 0.`);
    requireActive(cursor.transaction, failing('advance'));
    requireAtRecord(cursor, failing('advance'));
    this.#moveOn(null, steps);
  }

  /**
   * Moves on to the next record, or to the next one at `key` or behind it.
   *
   * @throws TransactionInactiveError, InvalidStateError where it is on its way or at the end, DataError for a key that is
   *   not ahead
   */
  continue(key?: unknown): void {
    const cursor = IDBCursor.#of(this);
    requireActive(cursor.transaction, failing('continue'));
    requireAtRecord(cursor, failing('continue'));
    this.#moveOn(key === undefined ? null : { key: requireAhead(cursor, toKey(key, failing('continue'))) }, 1);
  }

  /**
   * Moves on to the next record of an index at that place or behind it.
   *
   * @throws TransactionInactiveError, InvalidStateError, InvalidAccessError where it is no cursor of an index or of unique
   *   keys, DataError for a place that is not ahead
   */
  continuePrimaryKey(key: unknown, primaryKey: unknown): void {
    const cursor = IDBCursor.#of(this);
    const context = failing('continuePrimaryKey');
    requireArguments(arguments.length, 2, interfaceName, 'continuePrimaryKey');
    requireActive(cursor.transaction, context);
    requireSource(cursor, context);
    if (!(cursor.source instanceof IndexModel)) throw domException('InvalidAccessError', `${context}: it is not a cursor of an index.`);
    if (cursor.direction !== 'next' && cursor.direction !== 'prev') throw domException('InvalidAccessError', `${context}: its direction is one of unique keys.`);
    requireAtRecord(cursor, context);
    this.#moveOn(requirePlaceAhead(cursor, toKey(key, context), toKey(primaryKey, context)), 1);
  }

  #moveOn(target: Target | null, count: number): void {
    const { request, transaction } = this.#cursor;
    if (request === null) throw new Error('a cursor has no request');
    this.#cursor.hasValue = false;
    request.restart(new Iterate(this.#cursor, this, target, count));
    transaction.place(request);
  }

  /**
   * Replaces the value of the record at which it stands.
   *
   * @throws TransactionInactiveError, ReadOnlyError, InvalidStateError, DataCloneError, DataError for a value of another key
   */
  update(value: unknown): IDBRequest {
    const cursor = IDBCursor.#of(this);
    const context = failing('update');
    requireArguments(arguments.length, 1, interfaceName, 'update');
    const { transaction, store } = cursor;
    requireActive(transaction, context);
    requireWritable(transaction, context);
    const key = requireValueAt(cursor, context);
    const written = serialize(transaction, value, context);
    if (store.keyPath !== null) {
      const own = keyOfClone(written, store.keyPath, context);
      if (own === null || compareKeys(own, key) !== 0) throw domException('DataError', `${context}: the value has another key than the record.`);
    }
    return placeRequest(this, transaction, new Put(store, written, key, true, transaction.connection.database.records.blobs));
  }

  /**
   * Deletes the record at which it stands.
   *
   * @throws TransactionInactiveError, ReadOnlyError, InvalidStateError
   */
  delete(): IDBRequest {
    const cursor = IDBCursor.#of(this);
    const { transaction, store } = cursor;
    requireActive(transaction, failing('delete'));
    requireWritable(transaction, failing('delete'));
    return placeRequest(this, transaction, new Delete(store, only(requireValueAt(cursor, failing('delete')))));
  }
}

defineInterface(IDBCursor, {
  name: interfaceName,
  operations: { advance: 1, continue: 0, continuePrimaryKey: 2, update: 1, delete: 0 },
  attributes: ['source', 'direction', 'key', 'primaryKey', 'request'],
});

/** https://w3c.github.io/IndexedDB/#idbcursorwithvalue */
export class IDBCursorWithValue extends IDBCursor {
  get value(): unknown {
    const cursor = cursorOf(this);
    if (cursor.isKeyOnly) throw illegalInvocation('IDBCursorWithValue');
    return cursor.value;
  }
}

defineInterface(IDBCursorWithValue, { name: 'IDBCursorWithValue', attributes: ['value'] });

function failing(operation: string): string {
  return `Failed to execute '${operation}' on '${interfaceName}'`;
}

function requireSource(cursor: Cursor, context: string): void {
  if (cursor.isSourceDeleted) throw domException('InvalidStateError', `${context}: its object store or index has been deleted.`);
}

function requireAtRecord(cursor: Cursor, context: string): void {
  requireSource(cursor, context);
  if (!cursor.hasValue) throw domException('InvalidStateError', `${context}: the cursor is on its way to a record, or past the last.`);
}

/** Gives the record's primary key. */
function requireValueAt(cursor: Cursor, context: string): EncodedKey {
  requireAtRecord(cursor, context);
  if (cursor.isKeyOnly) throw domException('InvalidStateError', `${context}: it is a cursor of keys.`);
  return placeOf(cursor).primaryKey;
}

function placeOf({ place }: Cursor): { readonly key: EncodedKey; readonly primaryKey: EncodedKey } {
  if (place === null) throw new Error('a cursor stands nowhere');
  return place;
}

function requireAhead(cursor: Cursor, key: EncodedKey): EncodedKey {
  if (distance(cursor, key, placeOf(cursor).key) > 0) return key;
  throw domException('DataError', `${failing('continue')}: the key is not ahead of the cursor.`);
}

function requirePlaceAhead(cursor: Cursor, key: EncodedKey, primaryKey: EncodedKey): Target {
  const place = placeOf(cursor);
  const order = distance(cursor, key, place.key);
  if (order > 0 || (order === 0 && distance(cursor, primaryKey, place.primaryKey) > 0)) return { key, primaryKey };
  throw domException('DataError', `${failing('continuePrimaryKey')}: the place is not ahead of the cursor.`);
}

/** Positive: the key is ahead of the other in the cursor's direction. */
function distance(cursor: Cursor, key: EncodedKey, other: EncodedKey): number {
  return cursor.isForward ? compareKeys(key, other) : compareKeys(other, key);
}
