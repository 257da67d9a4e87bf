import type { Range } from '../disk/records/record-database.ts';
import { DOMString } from '../webidl/conversions.ts';
import { domException } from '../webidl/dom-exception.ts';
import { defineInterface, illegalConstructor, illegalInvocation, internal, requireArguments } from '../webidl/interface.ts';
import { requireActive } from './algorithms/checks.ts';
import { type Asked, asked, askedByOptions, convertDirection, type IDBGetAllOptions, selectionOf } from './algorithms/get-all-options.ts';
import { openCursor } from './algorithms/open-cursor.ts';
import type { IDBCursorDirection } from './cursor.ts';
import { toRange } from './key-range.ts';
import type { IndexModel } from './model/store.ts';
import type { Transaction } from './model/transaction.ts';
import type { IDBObjectStore } from './object-store.ts';
import { renameIndex } from './operations/change-stores.ts';
import { Count, Get, GetAll, GetKey, type Wanted } from './operations/retrieve.ts';
import { type IDBRequest, placeRequest } from './request.ts';

const interfaceName = 'IDBIndex';

/**
 * Records of an object store by keys that their values have. https://w3c.github.io/IndexedDB/#index-interface
 *
 * All requests throw InvalidStateError for an index that was deleted and TransactionInactiveError while the transaction is
 * not active. Invalid keys are a DataError.
 */
export class IDBIndex {
  readonly #objectStore: IDBObjectStore;
  readonly #transaction: Transaction;
  readonly #index: IndexModel;
  #keyPath: string | readonly string[] | undefined;

  /** @internal */
  constructor(token: typeof internal, objectStore: IDBObjectStore, transaction: Transaction, index: IndexModel) {
    if (token !== internal) illegalConstructor();
    this.#objectStore = objectStore;
    this.#transaction = transaction;
    this.#index = index;
  }

  static #of(object: IDBIndex): IndexModel {
    if (!(#index in object)) throw illegalInvocation(interfaceName);
    return object.#index;
  }

  /** For whatever is placed in the transaction. */
  static #open(object: IDBIndex, context: string): IndexModel {
    const index = IDBIndex.#of(object);
    requireExisting(index, context);
    requireActive(object.#transaction, context);
    return index;
  }

  get name(): string {
    return IDBIndex.#of(this).name;
  }

  /** Renames it, during an upgrade. */
  set name(value: string) {
    const index = IDBIndex.#of(this);
    const context = `Failed to set the 'name' property on '${interfaceName}'`;
    const name = DOMString(value, context);
    if (this.#transaction.mode !== 'versionchange') throw domException('InvalidStateError', `${context}: the transaction is no version change transaction.`);
    requireActive(this.#transaction, context);
    requireExisting(index, context);
    if (index.name === name) return;
    if (index.store.indexes.has(name)) throw domException('ConstraintError', `${context}: there is an index of that name.`);
    renameIndex(this.#transaction, index, name);
  }

  get objectStore(): IDBObjectStore {
    IDBIndex.#of(this);
    return this.#objectStore;
  }

  get keyPath(): string | readonly string[] {
    const { keyPath } = IDBIndex.#of(this);
    return (this.#keyPath ??= typeof keyPath === 'string' ? keyPath : [...keyPath]);
  }

  get multiEntry(): boolean {
    return IDBIndex.#of(this).multiEntry;
  }

  get unique(): boolean {
    return IDBIndex.#of(this).unique;
  }

  /** The value of the first record of a key or a range; the request's result is undefined where there is none. */
  get(query: unknown): IDBRequest {
    IDBIndex.#of(this);
    requireArguments(arguments.length, 1, interfaceName, 'get');
    const index = IDBIndex.#open(this, failing('get'));
    return placeRequest(this, this.#transaction, new Get(index, requireRange(query, failing('get'))));
  }

  /** The primary key of that record. */
  getKey(query: unknown): IDBRequest {
    IDBIndex.#of(this);
    requireArguments(arguments.length, 1, interfaceName, 'getKey');
    const index = IDBIndex.#open(this, failing('getKey'));
    return placeRequest(this, this.#transaction, new GetKey(index, requireRange(query, failing('getKey'))));
  }

  /** All values, or those of a query; a count of 0 is none. All of them are in memory at once. */
  getAll(queryOrOptions?: unknown, count?: number): IDBRequest;
  getAll(...args: unknown[]): IDBRequest {
    IDBIndex.#of(this);
    return this.#getAll('values', asked(args, failing('getAll')), failing('getAll'));
  }

  /** The same for primary keys. */
  getAllKeys(queryOrOptions?: unknown, count?: number): IDBRequest;
  getAllKeys(...args: unknown[]): IDBRequest {
    IDBIndex.#of(this);
    return this.#getAll('keys', asked(args, failing('getAllKeys')), failing('getAllKeys'));
  }

  /** The same for IDBRecords. */
  getAllRecords(options?: IDBGetAllOptions): IDBRequest {
    IDBIndex.#of(this);
    return this.#getAll('records', askedByOptions(options, failing('getAllRecords')), failing('getAllRecords'));
  }

  #getAll(wanted: Wanted, what: Asked, context: string): IDBRequest {
    const index = IDBIndex.#open(this, context);
    return placeRequest(this, this.#transaction, new GetAll(index, wanted, selectionOf(what, context)));
  }

  /** How many entries there are, or of a query. */
  count(query?: unknown): IDBRequest {
    const index = IDBIndex.#open(this, failing('count'));
    return placeRequest(this, this.#transaction, new Count(index, toRange(query, true, failing('count'))));
  }

  /** The request's result is an IDBCursorWithValue at the first record, and at others later; null at the end. */
  openCursor(query?: unknown, direction: IDBCursorDirection = 'next'): IDBRequest {
    IDBIndex.#of(this);
    const wanted = convertDirection(direction, `${failing('openCursor')}: parameter 2`);
    const index = IDBIndex.#open(this, failing('openCursor'));
    return openCursor(this, this.#transaction, index, toRange(query, true, failing('openCursor')), wanted, false);
  }

  /** The same without values. */
  openKeyCursor(query?: unknown, direction: IDBCursorDirection = 'next'): IDBRequest {
    IDBIndex.#of(this);
    const wanted = convertDirection(direction, `${failing('openKeyCursor')}: parameter 2`);
    const index = IDBIndex.#open(this, failing('openKeyCursor'));
    return openCursor(this, this.#transaction, index, toRange(query, true, failing('openKeyCursor')), wanted, true);
  }
}

defineInterface(IDBIndex, {
  name: interfaceName,
  operations: { get: 1, getKey: 1, getAll: 0, getAllKeys: 0, getAllRecords: 0, count: 0, openCursor: 0, openKeyCursor: 0 },
  attributes: ['name', 'objectStore', 'keyPath', 'multiEntry', 'unique'],
});

function failing(operation: string): string {
  return `Failed to execute '${operation}' on '${interfaceName}'`;
}

function requireExisting(index: IndexModel, context: string): void {
  if (index.isDeleted || index.store.isDeleted) throw domException('InvalidStateError', `${context}: the index or its object store has been deleted.`);
}

function requireRange(query: unknown, context: string): Range {
  const range = toRange(query, false, context);
  if (range === null) throw new Error('a range was not required');
  return range;
}
