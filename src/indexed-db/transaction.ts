import { DOMString } from '../webidl/conversions.ts';
import { domException } from '../webidl/dom-exception.ts';
import { defineInterface, illegalConstructor, illegalInvocation, internal, requireArguments } from '../webidl/interface.ts';
import type { IDBDatabase } from './database.ts';
import { dispatchFromScript } from './events/dispatch.ts';
import { addListener, handlerOf, removeListener, setHandler } from './events/event-node.ts';
import type { StoreModel } from './model/store.ts';
import type { Durability, Transaction, TransactionMode } from './model/transaction.ts';
import { handleOf, type IDBObjectStore } from './object-store.ts';
import type { EventHandler } from './request.ts';
import { type DOMStringList, sortedNames } from './string-list.ts';

const interfaceName = 'IDBTransaction';

/** https://w3c.github.io/IndexedDB/#transaction */
export class IDBTransaction extends EventTarget {
  readonly #transaction: Transaction;

  /** @internal */
  constructor(token: typeof internal, transaction: Transaction) {
    if (token !== internal) illegalConstructor();
    super();
    this.#transaction = transaction;
    transaction.object = this;
  }

  static #of(object: IDBTransaction): Transaction {
    if (!(#transaction in object)) throw illegalInvocation(interfaceName);
    return object.#transaction;
  }

  /** Of an upgrade, all that the database has now. */
  get objectStoreNames(): DOMStringList {
    return sortedNames(storesIn(IDBTransaction.#of(this)).map(({ name }) => name));
  }

  get mode(): TransactionMode {
    return IDBTransaction.#of(this).mode;
  }

  /**
   * `strict`: what it wrote survives the end of the machine once `complete` is fired; `relaxed` and `default`: the end of
   * any process.
   */
  get durability(): Durability {
    return IDBTransaction.#of(this).durability;
  }

  get db(): IDBDatabase {
    return IDBTransaction.#of(this).connection.object as IDBDatabase;
  }

  /** Why it was aborted; null also where `abort()` did it. */
  get error(): DOMException | null {
    return IDBTransaction.#of(this).error;
  }

  /** @throws InvalidStateError when it has ended, NotFoundError for what is not in its scope */
  objectStore(name: string): IDBObjectStore {
    const transaction = IDBTransaction.#of(this);
    requireArguments(arguments.length, 1, interfaceName, 'objectStore');
    const wanted = DOMString(name, `${failing('objectStore')}: parameter 1`);
    if (transaction.state === 'finished') throw domException('InvalidStateError', `${failing('objectStore')}: the transaction has ended.`);
    const store = storesIn(transaction).find((known) => known.name === wanted);
    if (store === undefined) throw domException('NotFoundError', `${failing('objectStore')}: the transaction has no object store of that name.`);
    return handleOf(transaction, store);
  }

  /** Commits without waiting for being idle. @throws InvalidStateError where it is not active */
  commit(): void {
    const transaction = IDBTransaction.#of(this);
    if (transaction.state !== 'active') throw domException('InvalidStateError', `${failing('commit')}: the transaction is not active.`);
    transaction.commit();
  }

  /** Takes back all that it has done. @throws InvalidStateError when it has ended, or `commit()` was called */
  abort(): void {
    const transaction = IDBTransaction.#of(this);
    if (transaction.state === 'committing' || transaction.state === 'finished') {
      throw domException('InvalidStateError', `${failing('abort')}: the transaction has ended.`);
    }
    transaction.abort(null);
  }

  get onabort(): EventHandler {
    return handlerOf(IDBTransaction.#of(this), 'abort') as EventHandler;
  }

  set onabort(value: EventHandler) {
    setHandler(IDBTransaction.#of(this), 'abort', value);
  }

  get oncomplete(): EventHandler {
    return handlerOf(IDBTransaction.#of(this), 'complete') as EventHandler;
  }

  set oncomplete(value: EventHandler) {
    setHandler(IDBTransaction.#of(this), 'complete', value);
  }

  get onerror(): EventHandler {
    return handlerOf(IDBTransaction.#of(this), 'error') as EventHandler;
  }

  set onerror(value: EventHandler) {
    setHandler(IDBTransaction.#of(this), 'error', value);
  }

  override addEventListener(...args: unknown[]): void {
    const transaction = IDBTransaction.#of(this);
    requireArguments(args.length, 2, 'EventTarget', 'addEventListener');
    addListener(transaction, args);
  }

  override removeEventListener(...args: unknown[]): void {
    const transaction = IDBTransaction.#of(this);
    requireArguments(args.length, 2, 'EventTarget', 'removeEventListener');
    removeListener(transaction, args);
  }

  override dispatchEvent(...args: unknown[]): boolean {
    const transaction = IDBTransaction.#of(this);
    requireArguments(args.length, 1, 'EventTarget', 'dispatchEvent');
    return dispatchFromScript(transaction, args[0]);
  }
}

defineInterface(IDBTransaction, {
  name: interfaceName,
  operations: { objectStore: 1, commit: 0, abort: 0 },
  attributes: ['objectStoreNames', 'mode', 'durability', 'db', 'error', 'onabort', 'oncomplete', 'onerror'],
});

function failing(operation: string): string {
  return `Failed to execute '${operation}' on '${interfaceName}'`;
}

/** https://w3c.github.io/IndexedDB/#transaction-scope: of an upgrade, whatever stores its connection has. */
function storesIn(transaction: Transaction): readonly StoreModel[] {
  return transaction.mode === 'versionchange' ? [...transaction.connection.stores.values()] : transaction.scope;
}
