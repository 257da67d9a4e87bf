import { boolean, dictionary, DOMString, enumeration, nullable } from '../webidl/conversions.ts';
import { domException } from '../webidl/dom-exception.ts';
import { defineInterface, illegalConstructor, illegalInvocation, internal, requireArguments } from '../webidl/interface.ts';
import { requireActive } from './algorithms/checks.ts';
import { requireValidKeyPath, stringOrStrings } from './algorithms/key-path.ts';
import { dispatchFromScript } from './events/dispatch.ts';
import { addListener, handlerOf, removeListener, setHandler } from './events/event-node.ts';
import type { Connection } from './model/connection.ts';
import { StoreModel } from './model/store.ts';
import { Transaction, type Durability } from './model/transaction.ts';
import { handleOf, type IDBObjectStore } from './object-store.ts';
import { createStore, deleteStore } from './operations/change-stores.ts';
import type { EventHandler } from './request.ts';
import { type DOMStringList, sortedNames } from './string-list.ts';
import { IDBTransaction } from './transaction.ts';

const interfaceName = 'IDBDatabase';

/** https://w3c.github.io/IndexedDB/#dictdef-idbobjectstoreparameters */
export interface IDBObjectStoreParameters {
  keyPath?: string | string[] | null;
  autoIncrement?: boolean;
}

/** https://w3c.github.io/IndexedDB/#dictdef-idbtransactionoptions */
export interface IDBTransactionOptions {
  durability?: Durability;
}

const convertParameters = dictionary<{ autoIncrement: boolean; keyPath: string | readonly string[] | null }>({
  autoIncrement: { convert: boolean, default: false },
  keyPath: { convert: nullable(stringOrStrings), default: null },
});
const convertOptions = dictionary<{ durability: Durability }>({
  durability: { convert: enumeration('IDBTransactionDurability', ['default', 'strict', 'relaxed']), default: 'default' },
});
const convertMode = enumeration('IDBTransactionMode', ['readonly', 'readwrite', 'versionchange']);

/** A connection to a database. https://w3c.github.io/IndexedDB/#database-interface */
export class IDBDatabase extends EventTarget {
  readonly #connection: Connection;

  /** @internal */
  constructor(token: typeof internal, connection: Connection) {
    if (token !== internal) illegalConstructor();
    super();
    this.#connection = connection;
    connection.object = this;
  }

  static #of(object: IDBDatabase): Connection {
    if (!(#connection in object)) throw illegalInvocation(interfaceName);
    return object.#connection;
  }

  get name(): string {
    return IDBDatabase.#of(this).database.name;
  }

  get version(): number {
    return IDBDatabase.#of(this).version;
  }

  get objectStoreNames(): DOMStringList {
    return sortedNames(IDBDatabase.#of(this).stores.keys());
  }

  /**
   * Starts a transaction. It sees all that transactions of any process have written which were started before and write
   * to one of its stores.
   *
   * @throws InvalidStateError during an upgrade and when the connection is closed, NotFoundError, InvalidAccessError for
   *   no stores
   */
  transaction(storeNames: string | Iterable<string>, mode: 'readonly' | 'readwrite' = 'readonly', options?: IDBTransactionOptions): IDBTransaction {
    const connection = IDBDatabase.#of(this);
    const context = failing('transaction');
    requireArguments(arguments.length, 1, interfaceName, 'transaction');
    const given = stringOrStrings(storeNames, `${context}: parameter 1`);
    const wantedMode = convertMode(mode, `${context}: parameter 2`);
    const { durability } = convertOptions(options, `${context}: parameter 3`);
    if (connection.upgradeTransaction !== null) throw domException('InvalidStateError', `${context}: a version change transaction is running.`);
    if (connection.isClosePending) throw domException('InvalidStateError', `${context}: the connection is closed.`);
    const scope = scopeOf(connection, typeof given === 'string' ? [given] : given);
    if (scope.length === 0) throw domException('InvalidAccessError', `${context}: no object stores were given.`);
    if (wantedMode === 'versionchange') throw new TypeError(`${context}: parameter 2 is neither readonly nor readwrite.`);
    const transaction = new Transaction(connection, scope, wantedMode, durability);
    const object = new IDBTransaction(internal, transaction);
    connection.database.admit(transaction);
    transaction.deactivateAfterTask();
    return object;
  }

  /** Closes the connection when its transactions have ended. */
  close(): void {
    IDBDatabase.#of(this).close();
  }

  /**
   * Makes an object store, during an upgrade.
   *
   * @throws InvalidStateError, TransactionInactiveError, SyntaxError for the key path, ConstraintError for a name that is
   *   taken, InvalidAccessError for a generator with an empty key path or several
   */
  createObjectStore(name: string, options?: IDBObjectStoreParameters): IDBObjectStore {
    const connection = IDBDatabase.#of(this);
    const context = failing('createObjectStore');
    requireArguments(arguments.length, 1, interfaceName, 'createObjectStore');
    const wanted = DOMString(name, `${context}: parameter 1`);
    const { keyPath, autoIncrement } = convertParameters(options, `${context}: parameter 2`);
    const transaction = requireUpgrade(connection, context);
    if (keyPath !== null) requireValidKeyPath(keyPath);
    if (connection.stores.has(wanted)) throw domException('ConstraintError', `${context}: there is an object store of that name.`);
    if (autoIncrement && (keyPath === '' || Array.isArray(keyPath))) {
      throw domException('InvalidAccessError', `${context}: a key generator needs a key path that is neither empty nor a list.`);
    }
    const store = new StoreModel({ name: wanted, keyPath, autoIncrement, indexes: [] });
    createStore(transaction, store);
    return handleOf(transaction, store);
  }

  /** Deletes an object store, during an upgrade. @throws InvalidStateError, TransactionInactiveError, NotFoundError */
  deleteObjectStore(name: string): void {
    const connection = IDBDatabase.#of(this);
    const context = failing('deleteObjectStore');
    requireArguments(arguments.length, 1, interfaceName, 'deleteObjectStore');
    const wanted = DOMString(name, `${context}: parameter 1`);
    const transaction = requireUpgrade(connection, context);
    const store = connection.stores.get(wanted);
    if (store === undefined) throw domException('NotFoundError', `${context}: there is no object store of that name.`);
    deleteStore(transaction, store);
  }

  get onabort(): EventHandler {
    return handlerOf(IDBDatabase.#of(this), 'abort') as EventHandler;
  }

  set onabort(value: EventHandler) {
    setHandler(IDBDatabase.#of(this), 'abort', value);
  }

  get onclose(): EventHandler {
    return handlerOf(IDBDatabase.#of(this), 'close') as EventHandler;
  }

  set onclose(value: EventHandler) {
    setHandler(IDBDatabase.#of(this), 'close', value);
  }

  get onerror(): EventHandler {
    return handlerOf(IDBDatabase.#of(this), 'error') as EventHandler;
  }

  set onerror(value: EventHandler) {
    setHandler(IDBDatabase.#of(this), 'error', value);
  }

  get onversionchange(): EventHandler {
    return handlerOf(IDBDatabase.#of(this), 'versionchange') as EventHandler;
  }

  set onversionchange(value: EventHandler) {
    setHandler(IDBDatabase.#of(this), 'versionchange', value);
  }

  override addEventListener(...args: unknown[]): void {
    const connection = IDBDatabase.#of(this);
    requireArguments(args.length, 2, 'EventTarget', 'addEventListener');
    addListener(connection, args);
  }

  override removeEventListener(...args: unknown[]): void {
    const connection = IDBDatabase.#of(this);
    requireArguments(args.length, 2, 'EventTarget', 'removeEventListener');
    removeListener(connection, args);
  }

  override dispatchEvent(...args: unknown[]): boolean {
    const connection = IDBDatabase.#of(this);
    requireArguments(args.length, 1, 'EventTarget', 'dispatchEvent');
    return dispatchFromScript(connection, args[0]);
  }
}

defineInterface(IDBDatabase, {
  name: interfaceName,
  operations: { transaction: 1, close: 0, createObjectStore: 1, deleteObjectStore: 1 },
  attributes: ['name', 'version', 'objectStoreNames', 'onabort', 'onclose', 'onerror', 'onversionchange'],
});

function failing(operation: string): string {
  return `Failed to execute '${operation}' on '${interfaceName}'`;
}

function scopeOf(connection: Connection, names: readonly string[]): readonly StoreModel[] {
  const scope: StoreModel[] = [];
  for (const name of names) {
    const store = connection.stores.get(name);
    if (store === undefined) throw domException('NotFoundError', `${failing('transaction')}: there is no object store of one of the names.`);
    scope.push(store);
  }
  return scope.length === 1 ? scope : [...new Set(scope)];
}

function requireUpgrade({ upgradeTransaction }: Connection, context: string): Transaction {
  if (upgradeTransaction === null) throw domException('InvalidStateError', `${context}: no version change transaction is running.`);
  requireActive(upgradeTransaction, context);
  return upgradeTransaction;
}
