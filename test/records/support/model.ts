import { compareKeys, type EncodedKey } from '../../../src/disk/records/key.ts';
import type { IndexDefinition, Place, Put, Query, Range, Refusal } from '../../../src/disk/records/record-database.ts';

export interface ModelRecord {
  readonly key: EncodedKey;
  readonly value: Uint8Array;
  readonly blobs: readonly number[];
  readonly indexKeys: ReadonlyMap<number, readonly EncodedKey[]>;
}

interface ModelStore {
  readonly id: number;
  readonly records: readonly ModelRecord[];
  readonly indexes: readonly IndexDefinition[];
  readonly next: number;
}

export interface ModelPlace extends Place {
  readonly record: ModelRecord;
}

/** What a database should hold, by the words of the standard; never changed in place, so that a copy is a reference. */
export class Model {
  readonly stores: ReadonlyMap<number, ModelStore>;

  constructor(stores: ReadonlyMap<number, ModelStore> = new Map()) {
    this.stores = stores;
  }

  store(id: number): ModelStore {
    const store = this.stores.get(id);
    if (store === undefined) throw new Error(`no store ${id}`);
    return store;
  }

  with(id: number, change: Partial<ModelStore>): Model {
    return new Model(new Map([...this.stores, [id, { ...{ id, records: [], indexes: [], next: 1 }, ...this.stores.get(id), ...change }]]));
  }

  without(id: number): Model {
    return new Model(new Map([...this.stores].filter(([other]) => other !== id)));
  }

  put(put: Put): { model: Model; refusal: Refusal | null } {
    const store = this.store(put.store);
    const others = store.records.filter(({ key }) => compareKeys(key, put.key) !== 0);
    if (!put.overwrite && others.length < store.records.length) return { model: this, refusal: { constraint: 'key' } };
    const indexKeys = new Map(put.indexKeys.map(({ index, keys }) => [index, keys]));
    for (const { id, unique } of store.indexes) {
      const isTaken = unique && others.some((other) => overlap(other.indexKeys.get(id), indexKeys.get(id)));
      if (isTaken) return { model: this, refusal: { constraint: 'index', index: id } };
    }
    const record: ModelRecord = { key: put.key, value: put.value.bytes, blobs: put.value.blobs, indexKeys };
    const records = [...others, record].sort((a, b) => compareKeys(a.key, b.key));
    return { model: this.with(put.store, { records }), refusal: null };
  }

  delete(id: number, range: Range): Model {
    return this.with(id, { records: this.store(id).records.filter(({ key }) => !isIn(range, key)) });
  }

  /** What a query should give, in order. */
  places(query: Query): ModelPlace[] {
    const { range, direction, after, from, index } = query;
    const isBackward = direction.startsWith('prev');
    const isUnique = direction.endsWith('unique') && index !== null;
    const all = this.#all(query).filter(({ key }) => range === null || isIn(range, key));
    const ordered = (isUnique ? lowestOfEach(all) : all).sort((a, b) => (isBackward ? comparePlaces(b, a) : comparePlaces(a, b)));
    const sign = isBackward ? -1 : 1;
    const byKeyAlone = isUnique || index === null;
    return ordered.filter((place) => {
      const toAfter = after && sign * (byKeyAlone ? compareKeys(place.key, after.key) : comparePlaces(place, after));
      const toFrom = from && sign * (compareKeys(place.key, from.key) || (byKeyAlone || !from.primaryKey ? 0 : compareKeys(place.primaryKey, from.primaryKey)));
      return (toAfter === undefined || toAfter > 0) && (toFrom === undefined || toFrom >= 0);
    });
  }

  #all({ store, index }: Query): ModelPlace[] {
    const { records } = this.store(store);
    if (index === null) return records.map((record) => ({ key: record.key, primaryKey: record.key, record }));
    const places = records.flatMap((record) => (record.indexKeys.get(index) ?? []).map((key) => ({ key, primaryKey: record.key, record })));
    return places.sort(comparePlaces);
  }
}

function comparePlaces(a: Place, b: Place): number {
  return compareKeys(a.key, b.key) || compareKeys(a.primaryKey, b.primaryKey);
}

function lowestOfEach(places: readonly ModelPlace[]): ModelPlace[] {
  return places.filter((place, at) => at === 0 || compareKeys(place.key, (places[at - 1] as ModelPlace).key) !== 0);
}

function overlap(some: readonly EncodedKey[] = [], others: readonly EncodedKey[] = []): boolean {
  return some.some((key) => others.some((other) => compareKeys(key, other) === 0));
}

function isIn({ lower, upper, lowerOpen, upperOpen }: Range, key: EncodedKey): boolean {
  const toLower = lower === null ? 1 : compareKeys(key, lower);
  const toUpper = upper === null ? -1 : compareKeys(key, upper);
  return toLower >= (lowerOpen ? 1 : 0) && toUpper <= (upperOpen ? -1 : 0);
}
