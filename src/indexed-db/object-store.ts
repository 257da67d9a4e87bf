import type { KeyPath } from '../disk/records/record-database.ts';
import { boolean, dictionary, DOMString } from '../webidl/conversions.ts';
import { domException } from '../webidl/dom-exception.ts';
import { defineInterface, illegalConstructor, illegalInvocation, internal, requireArguments } from '../webidl/interface.ts';
import { requireActive, requireWritable } from './algorithms/checks.ts';
import { type Asked, asked, askedByOptions, convertDirection, type IDBGetAllOptions, selectionOf } from './algorithms/get-all-options.ts';
import { canInjectKey, requireValidKeyPath, stringOrStrings } from './algorithms/key-path.ts';
import { toKey } from './algorithms/keys.ts';
import { openCursor } from './algorithms/open-cursor.ts';
import { keyOfClone, serialize } from './algorithms/values.ts';
import type { IDBCursorDirection } from './cursor.ts';
import { toRange } from './key-range.ts';
import type { IndexModel, StoreModel } from './model/store.ts';
import type { Transaction } from './model/transaction.ts';
import { createIndex, deleteIndex, renameStore } from './operations/change-stores.ts';
import { Clear, Delete } from './operations/delete.ts';
import { Put } from './operations/put.ts';
import { Count, Get, GetAll, GetKey, type Wanted } from './operations/retrieve.ts';
import { type IDBRequest, placeRequest } from './request.ts';
import { IDBIndex } from './store-index.ts';
import { type DOMStringList, sortedNames } from './string-list.ts';
import type { IDBTransaction } from './transaction.ts';

const interfaceName = 'IDBObjectStore';

/** https://w3c.github.io/IndexedDB/#dictdef-idbindexparameters */
export interface IDBIndexParameters {
  unique?: boolean;
  multiEntry?: boolean;
}

const convertParameters = dictionary<{ multiEntry: boolean; unique: boolean }>({
  multiEntry: { convert: boolean, default: false },
  unique: { convert: boolean, default: false },
});

/** The one handle of a store that a transaction has. https://w3c.github.io/IndexedDB/#dom-idbtransaction-objectstore */
export function handleOf(transaction: Transaction, store: StoreModel): IDBObjectStore {
  const known = transaction.handles.get(store);
  if (known !== undefined) return known as IDBObjectStore;
  const made = new IDBObjectStore(internal, transaction, store);
  transaction.handles.set(store, made);
  return made;
}

/**
 * Records of a database by their keys, within one transaction. https://w3c.github.io/IndexedDB/#object-store-interface
 *
 * All requests throw InvalidStateError for a store that was deleted and TransactionInactiveError while the transaction is
 * not active; those that write, ReadOnlyError in a read-only one. Invalid keys are a DataError.
 */
export class IDBObjectStore {
  readonly #transaction: Transaction;
  readonly #store: StoreModel;
  #handles: Map<IndexModel, IDBIndex> | null = null;
  /** Given again, as long as it is asked for. */
  #keyPath: string | readonly string[] | null | undefined;

  /** @internal */
  constructor(token: typeof internal, transaction: Transaction, store: StoreModel) {
    if (token !== internal) illegalConstructor();
    this.#transaction = transaction;
    this.#store = store;
  }

  static #of(object: IDBObjectStore): StoreModel {
    if (!(#store in object)) throw illegalInvocation(interfaceName);
    return object.#store;
  }

  /** For whatever is placed in the transaction. */
  static #open(object: IDBObjectStore, context: string): StoreModel {
    const store = IDBObjectStore.#of(object);
    requireExisting(store, context);
    requireActive(object.#transaction, context);
    return store;
  }

  get name(): string {
    return IDBObjectStore.#of(this).name;
  }

  /** Renames it, during an upgrade. */
  set name(value: string) {
    const store = IDBObjectStore.#of(this);
    const context = `Failed to set the 'name' property on '${interfaceName}'`;
    const name = DOMString(value, context);
    requireExisting(store, context);
    requireUpgrade(this.#transaction, context);
    requireActive(this.#transaction, context);
    if (store.name === name) return;
    if (this.#transaction.connection.stores.has(name)) throw domException('ConstraintError', `${context}: there is an object store of that name.`);
    renameStore(this.#transaction, store, name);
  }

  get keyPath(): string | readonly string[] | null {
    const { keyPath } = IDBObjectStore.#of(this);
    return (this.#keyPath ??= copyOf(keyPath));
  }

  get indexNames(): DOMStringList {
    return sortedNames(IDBObjectStore.#of(this).indexes.keys());
  }

  get transaction(): IDBTransaction {
    IDBObjectStore.#of(this);
    return this.#transaction.object as IDBTransaction;
  }

  get autoIncrement(): boolean {
    return IDBObjectStore.#of(this).autoIncrement;
  }

  /**
   * Stores a value, in the place of what had its key. The request's result is the key.
   *
   * @throws DataCloneError, DataError for a key that is missing, not wanted or not valid
   */
  put(value: unknown, key?: unknown): IDBRequest {
    requireArguments(arguments.length, 1, interfaceName, 'put');
    return this.#write(value, key, true, failing('put'));
  }

  /** The same; the request fails with ConstraintError where there is a record of that key. */
  add(value: unknown, key?: unknown): IDBRequest {
    requireArguments(arguments.length, 1, interfaceName, 'add');
    return this.#write(value, key, false, failing('add'));
  }

  /** https://w3c.github.io/IndexedDB/#add-or-put */
  #write(value: unknown, givenKey: unknown, overwrite: boolean, context: string): IDBRequest {
    const store = IDBObjectStore.#open(this, context);
    const transaction = this.#transaction;
    requireWritable(transaction, context);
    requireKeyWhereWanted(store, givenKey, context);
    const outside = givenKey === undefined ? null : toKey(givenKey, context);
    const written = serialize(transaction, value, context);
    const key = store.keyPath === null ? outside : keyOfClone(written, store.keyPath, context);
    if (key === null && store.keyPath !== null) requireInjectable(store, written.clone, context);
    return placeRequest(this, transaction, new Put(store, written, key, overwrite, transaction.connection.database.records.blobs));
  }

  /** Deletes the records of a key or a range. */
  delete(query: unknown): IDBRequest {
    IDBObjectStore.#of(this);
    requireArguments(arguments.length, 1, interfaceName, 'delete');
    const store = IDBObjectStore.#open(this, failing('delete'));
    requireWritable(this.#transaction, failing('delete'));
    const range = toRange(query, false, failing('delete'));
    if (range === null) throw new Error('a range was not required');
    return placeRequest(this, this.#transaction, new Delete(store, range));
  }

  /** Deletes all records. */
  clear(): IDBRequest {
    const store = IDBObjectStore.#open(this, failing('clear'));
    requireWritable(this.#transaction, failing('clear'));
    return placeRequest(this, this.#transaction, new Clear(store));
  }

  /** The first value of a key or a range; the request's result is undefined where there is none. */
  get(query: unknown): IDBRequest {
    IDBObjectStore.#of(this);
    requireArguments(arguments.length, 1, interfaceName, 'get');
    const store = IDBObjectStore.#open(this, failing('get'));
    return placeRequest(this, this.#transaction, new Get(store, requireRange(query, failing('get'))));
  }

  /** The first key of a range. */
  getKey(query: unknown): IDBRequest {
    IDBObjectStore.#of(this);
    requireArguments(arguments.length, 1, interfaceName, 'getKey');
    const store = IDBObjectStore.#open(this, failing('getKey'));
    return placeRequest(this, this.#transaction, new GetKey(store, requireRange(query, failing('getKey'))));
  }

  /** All values, or those of a query; a count of 0 is none. All of them are in memory at once. */
  getAll(queryOrOptions?: unknown, count?: number): IDBRequest;
  getAll(...args: unknown[]): IDBRequest {
    IDBObjectStore.#of(this);
    return this.#getAll('values', asked(args, failing('getAll')), failing('getAll'));
  }

  /** The same for keys. */
  getAllKeys(queryOrOptions?: unknown, count?: number): IDBRequest;
  getAllKeys(...args: unknown[]): IDBRequest {
    IDBObjectStore.#of(this);
    return this.#getAll('keys', asked(args, failing('getAllKeys')), failing('getAllKeys'));
  }

  /** The same for IDBRecords. */
  getAllRecords(options?: IDBGetAllOptions): IDBRequest {
    IDBObjectStore.#of(this);
    return this.#getAll('records', askedByOptions(options, failing('getAllRecords')), failing('getAllRecords'));
  }

  #getAll(wanted: Wanted, what: Asked, context: string): IDBRequest {
    const store = IDBObjectStore.#open(this, context);
    return placeRequest(this, this.#transaction, new GetAll(store, wanted, selectionOf(what, context)));
  }

  /** How many records there are, or of a query. */
  count(query?: unknown): IDBRequest {
    const store = IDBObjectStore.#open(this, failing('count'));
    return placeRequest(this, this.#transaction, new Count(store, toRange(query, true, failing('count'))));
  }

  /** The request's result is an IDBCursorWithValue at the first record, and at others later; null at the end. */
  openCursor(query?: unknown, direction: IDBCursorDirection = 'next'): IDBRequest {
    IDBObjectStore.#of(this);
    const wanted = convertDirection(direction, `${failing('openCursor')}: parameter 2`);
    const store = IDBObjectStore.#open(this, failing('openCursor'));
    return openCursor(this, this.#transaction, store, toRange(query, true, failing('openCursor')), wanted, false);
  }

  /** The same without values. */
  openKeyCursor(query?: unknown, direction: IDBCursorDirection = 'next'): IDBRequest {
    IDBObjectStore.#of(this);
    const wanted = convertDirection(direction, `${failing('openKeyCursor')}: parameter 2`);
    const store = IDBObjectStore.#open(this, failing('openKeyCursor'));
    return openCursor(this, this.#transaction, store, toRange(query, true, failing('openKeyCursor')), wanted, true);
  }

  /** @throws InvalidStateError when the transaction has ended, NotFoundError */
  index(name: string): IDBIndex {
    const store = IDBObjectStore.#of(this);
    const context = failing('index');
    requireArguments(arguments.length, 1, interfaceName, 'index');
    const wanted = DOMString(name, `${context}: parameter 1`);
    requireExisting(store, context);
    if (this.#transaction.state === 'finished') throw domException('InvalidStateError', `${context}: the transaction has ended.`);
    const index = store.indexes.get(wanted);
    if (index === undefined) throw domException('NotFoundError', `${context}: the object store has no index of that name.`);
    return this.#handleOf(index);
  }

  #handleOf(index: IndexModel): IDBIndex {
    const known = this.#handles?.get(index);
    if (known !== undefined) return known;
    const made = new IDBIndex(internal, this, this.#transaction, index);
    (this.#handles ??= new Map()).set(index, made);
    return made;
  }

  /**
   * Makes an index of the records that there are and will be, during an upgrade. Where it is unique and two records have
   * the same key, the upgrade is aborted with a ConstraintError.
   *
   * @throws ConstraintError for a name that is taken, SyntaxError for the key path, InvalidAccessError for several key
   *   paths with multiEntry
   */
  createIndex(name: string, keyPath: string | Iterable<string>, options?: IDBIndexParameters): IDBIndex {
    const store = IDBObjectStore.#of(this);
    const context = failing('createIndex');
    requireArguments(arguments.length, 2, interfaceName, 'createIndex');
    const wanted = DOMString(name, `${context}: parameter 1`);
    const path = stringOrStrings(keyPath, `${context}: parameter 2`);
    const { unique, multiEntry } = convertParameters(options, `${context}: parameter 3`);
    requireUpgrade(this.#transaction, context);
    requireExisting(store, context);
    requireActive(this.#transaction, context);
    if (store.indexes.has(wanted)) throw domException('ConstraintError', `${context}: there is an index of that name.`);
    requireValidKeyPath(path);
    if (multiEntry && typeof path !== 'string') throw domException('InvalidAccessError', `${context}: an index with several key paths cannot be multiEntry.`);
    return this.#handleOf(createIndex(this.#transaction, store, { name: wanted, keyPath: path, unique, multiEntry }));
  }

  /** Deletes an index, during an upgrade. @throws NotFoundError */
  deleteIndex(name: string): void {
    const store = IDBObjectStore.#of(this);
    const context = failing('deleteIndex');
    requireArguments(arguments.length, 1, interfaceName, 'deleteIndex');
    const wanted = DOMString(name, `${context}: parameter 1`);
    requireUpgrade(this.#transaction, context);
    requireExisting(store, context);
    requireActive(this.#transaction, context);
    const index = store.indexes.get(wanted);
    if (index === undefined) throw domException('NotFoundError', `${context}: the object store has no index of that name.`);
    deleteIndex(this.#transaction, index);
  }
}

defineInterface(IDBObjectStore, {
  name: interfaceName,
  operations: {
    put: 1,
    add: 1,
    delete: 1,
    clear: 0,
    get: 1,
    getKey: 1,
    getAll: 0,
    getAllKeys: 0,
    getAllRecords: 0,
    count: 0,
    openCursor: 0,
    openKeyCursor: 0,
    index: 1,
    createIndex: 2,
    deleteIndex: 1,
  },
  attributes: ['name', 'keyPath', 'indexNames', 'transaction', 'autoIncrement'],
});

function failing(operation: string): string {
  return `Failed to execute '${operation}' on '${interfaceName}'`;
}

function copyOf(path: KeyPath | null): string | readonly string[] | null {
  return typeof path === 'string' || path === null ? path : [...path];
}

function requireRange(query: unknown, context: string): NonNullable<ReturnType<typeof toRange>> {
  const range = toRange(query, false, context);
  if (range === null) throw new Error('a range was not required');
  return range;
}

function requireExisting(store: StoreModel, context: string): void {
  if (store.isDeleted) throw domException('InvalidStateError', `${context}: the object store has been deleted.`);
}

function requireUpgrade(transaction: Transaction, context: string): void {
  if (transaction.mode !== 'versionchange') throw domException('InvalidStateError', `${context}: the transaction is no version change transaction.`);
}

/** Whether the key comes from the argument, the value or the generator. */
function requireKeyWhereWanted({ keyPath, autoIncrement }: StoreModel, key: unknown, context: string): void {
  if (keyPath !== null && key !== undefined) throw domException('DataError', `${context}: the object store takes its keys from the values, and a key was given.`);
  if (keyPath === null && !autoIncrement && key === undefined) throw domException('DataError', `${context}: the object store needs a key, and none was given.`);
}

function requireInjectable({ keyPath, autoIncrement }: StoreModel, clone: unknown, context: string): void {
  if (!autoIncrement) throw domException('DataError', `${context}: the key path of the object store leads nowhere in the value.`);
  if (typeof keyPath === 'string' && canInjectKey(clone, keyPath)) return;
  throw domException('DataError', `${context}: the value has no place for the key that is generated.`);
}
