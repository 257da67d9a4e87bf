import type { Direction, Query, Range } from '../../disk/records/record-database.ts';
import { IndexModel, type StoreModel } from '../model/store.ts';

/** Where records are looked for: https://w3c.github.io/IndexedDB/#cursor-source */
export type Source = StoreModel | IndexModel;

export function queryOf(source: Source, range: Range | null, direction: Direction, values: boolean): Query {
  const isIndex = source instanceof IndexModel;
  return { store: isIndex ? source.store.id : source.id, index: isIndex ? source.id : null, range, direction, values };
}
