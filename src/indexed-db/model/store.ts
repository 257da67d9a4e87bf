import type { IndexDefinition, KeyPath, StoreDefinition } from '../../disk/records/record-database.ts';

/** Of what the database does not have yet: it is made when it is its turn among the transaction's requests. */
const NOT_YET = -1;

/** https://w3c.github.io/IndexedDB/#index-construct, as one connection knows it. */
export class IndexModel {
  readonly store: StoreModel;
  /** What the database calls it. */
  id: number;
  name: string;
  readonly keyPath: KeyPath;
  readonly unique: boolean;
  readonly multiEntry: boolean;
  isDeleted = false;
  /** Whether the values that were read together last were short. */
  hasShortValues = false;

  constructor(store: StoreModel, definition: Omit<IndexDefinition, 'id'>, id = NOT_YET) {
    this.store = store;
    this.id = id;
    this.name = definition.name;
    this.keyPath = definition.keyPath;
    this.unique = definition.unique;
    this.multiEntry = definition.multiEntry;
  }
}

/**
 * https://w3c.github.io/IndexedDB/#object-store-construct, as one connection knows it.
 *
 * `indexes` are those that a program sees, `filled` those that the database has at this point of the requests' order:
 * the two differ while an upgrade has requests that wait.
 */
export class StoreModel {
  id: number;
  name: string;
  readonly keyPath: KeyPath | null;
  readonly autoIncrement: boolean;
  indexes: Map<string, IndexModel>;
  filled: readonly IndexModel[];
  isDeleted = false;
  /** Whether the values that were read together last were short. */
  hasShortValues = false;

  constructor(definition: Omit<StoreDefinition, 'id'>, id = NOT_YET) {
    this.id = id;
    this.name = definition.name;
    this.keyPath = definition.keyPath;
    this.autoIncrement = definition.autoIncrement;
    this.indexes = new Map(definition.indexes.map((index) => [index.name, new IndexModel(this, index, index.id)]));
    this.filled = [...this.indexes.values()];
  }
}

export type Stores = Map<string, StoreModel>;

export function storesOf(definitions: readonly StoreDefinition[]): Stores {
  return new Map(definitions.map((definition) => [definition.name, new StoreModel(definition, definition.id)]));
}
