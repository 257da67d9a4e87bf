import type { IndexModel, StoreModel, Stores } from './store.ts';

interface StoreState {
  readonly store: StoreModel;
  readonly name: string;
  readonly indexes: readonly (readonly [string, IndexModel])[];
}

/**
 * The stores of a connection as they were before an upgrade, for the case that it is aborted.
 * https://w3c.github.io/IndexedDB/#abort-an-upgrade-transaction
 */
export class SchemaSnapshot {
  readonly #states: readonly StoreState[];
  readonly #made: StoreModel[] = [];

  constructor(stores: Stores) {
    this.#states = [...stores.values()].map((store) => ({ store, name: store.name, indexes: [...store.indexes] }));
  }

  /** A store was made since. */
  made(store: StoreModel): void {
    this.#made.push(store);
  }

  /** What was there is as it was, under its old name; what was made since is gone, and keeps its name. */
  restore(): Stores {
    for (const store of this.#made) {
      for (const index of store.indexes.values()) index.isDeleted = true;
      store.indexes = new Map();
      store.isDeleted = true;
    }
    return new Map(this.#states.map((state) => [state.name, restored(state)]));
  }
}

function restored({ store, name, indexes }: StoreState): StoreModel {
  for (const index of store.indexes.values()) index.isDeleted = true;
  store.name = name;
  store.indexes = new Map(indexes);
  store.filled = [...store.indexes.values()];
  store.isDeleted = false;
  for (const [indexName, index] of indexes) {
    index.name = indexName;
    index.isDeleted = false;
  }
  return store;
}
