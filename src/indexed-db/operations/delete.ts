import type { Range } from '../../disk/records/record-database.ts';
import { LongWork, type Operation, stepsOf } from '../model/operation.ts';
import type { StoreModel } from '../model/store.ts';
import type { Transaction } from '../model/transaction.ts';

/** https://w3c.github.io/IndexedDB/#delete-records-from-an-object-store */
export class Delete implements Operation {
  readonly ready = null;
  readonly #store: StoreModel;
  readonly #range: Range;

  constructor(store: StoreModel, range: Range) {
    this.#store = store;
    this.#range = range;
  }

  run(transaction: Transaction): LongWork {
    transaction.writes++;
    return new LongWork(stepsOf(transaction.writer.delete(this.#store.id, this.#range)));
  }
}

/** https://w3c.github.io/IndexedDB/#clear-an-object-store */
export class Clear implements Operation {
  readonly ready = null;
  readonly #store: StoreModel;

  constructor(store: StoreModel) {
    this.#store = store;
  }

  run(transaction: Transaction): LongWork {
    transaction.writes++;
    return new LongWork(stepsOf(transaction.writer.clear(this.#store.id)));
  }
}
