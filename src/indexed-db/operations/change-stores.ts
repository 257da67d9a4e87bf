import type { IndexDefinition, UpgradeTransaction } from '../../disk/records/record-database.ts';
import { LongWork, type Operation, stepsOf } from '../model/operation.ts';
import type { QueueItem } from '../model/request.ts';
import { IndexModel, type StoreModel } from '../model/store.ts';
import type { Transaction } from '../model/transaction.ts';
import { fillIndex } from './fill-index.ts';

/*
 * Changes of the stores during an upgrade. What the program sees changes at once; the database does at the change's turn
 * among the requests, so that a request sees what was there when it was placed.
 */

/** One of them. Nobody is told of its success; its failure aborts the upgrade. */
class Change implements Operation, QueueItem {
  readonly ready = null;
  next: QueueItem | null = null;
  readonly #transaction: Transaction;
  readonly #body: (upgrade: UpgradeTransaction) => unknown;

  constructor(transaction: Transaction, body: (upgrade: UpgradeTransaction) => unknown) {
    this.#transaction = transaction;
    this.#body = body;
    transaction.place(this);
  }

  get operation(): Operation {
    return this;
  }

  run(transaction: Transaction): unknown {
    transaction.writes++;
    return this.#body(transaction.upgrader);
  }

  succeeded(): void {}

  failed(error: DOMException): void {
    this.#transaction.abort(error);
  }

  aborted(): void {}
}

function change(transaction: Transaction, body: (upgrade: UpgradeTransaction) => unknown): void {
  new Change(transaction, body);
}

export function setVersion(transaction: Transaction, version: number): void {
  transaction.connection.version = version;
  change(transaction, (upgrade) => upgrade.setVersion(version));
}

export function createStore(transaction: Transaction, store: StoreModel): void {
  const { name, keyPath, autoIncrement } = store;
  transaction.connection.stores.set(name, store);
  transaction.upgrade?.before.made(store);
  change(transaction, (upgrade) => {
    store.id = upgrade.createStore(name, keyPath, autoIncrement).id;
  });
}

export function renameStore(transaction: Transaction, store: StoreModel, name: string): void {
  const { stores } = transaction.connection;
  stores.delete(store.name);
  stores.set(name, store);
  store.name = name;
  change(transaction, (upgrade) => upgrade.renameStore(store.id, name));
}

export function deleteStore(transaction: Transaction, store: StoreModel): void {
  transaction.connection.stores.delete(store.name);
  store.isDeleted = true;
  for (const index of store.indexes.values()) index.isDeleted = true;
  store.indexes = new Map();
  change(transaction, (upgrade) => new LongWork(stepsOf(upgrade.deleteStore(store.id))));
}

export function createIndex(transaction: Transaction, store: StoreModel, definition: Omit<IndexDefinition, 'id'>): IndexModel {
  const index = new IndexModel(store, definition);
  store.indexes.set(index.name, index);
  change(transaction, (upgrade) => {
    index.id = upgrade.createIndex(store.id, definition).id;
    store.filled = [...store.filled, index];
    return new LongWork(fillIndex(transaction, index));
  });
  return index;
}

export function renameIndex(transaction: Transaction, index: IndexModel, name: string): void {
  const { indexes } = index.store;
  indexes.delete(index.name);
  indexes.set(name, index);
  index.name = name;
  change(transaction, (upgrade) => upgrade.renameIndex(index.store.id, index.id, name));
}

export function deleteIndex(transaction: Transaction, index: IndexModel): void {
  const { store } = index;
  store.indexes.delete(index.name);
  index.isDeleted = true;
  change(transaction, (upgrade) => {
    store.filled = store.filled.filter((other) => other !== index);
    return new LongWork(stepsOf(upgrade.deleteIndex(store.id, index.id)));
  });
}
