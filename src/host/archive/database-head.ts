import type { IndexDefinition, KeyPath } from '../../disk/records/record-database.ts';
import { archiveError } from './archive-error.ts';
import type { DatabaseHead, StoreHead } from './record-parts.ts';

type Unknown = Readonly<Record<string, unknown>>;

/** What `database.json` says, if it makes sense. @throws HoldfastError archive-damaged */
export function databaseHead({ name, version, stores }: Unknown, at: string): DatabaseHead {
  if (typeof name === 'string' && isNumber(version) && version > 0 && Array.isArray(stores) && stores.every(isStore)) return { name, version, stores };
  throw archiveError(`its entry '${at}' makes no sense`);
}

function isStore(value: unknown): value is StoreHead {
  const { id, name, keyPath, autoIncrement, indexes, nextKey } = asObject(value);
  const isNamed = isNumber(id) && typeof name === 'string' && typeof autoIncrement === 'boolean';
  const isKeyed = (keyPath === null || isKeyPath(keyPath)) && (nextKey === null || (isNumber(nextKey) && nextKey > 0));
  return isNamed && isKeyed && Array.isArray(indexes) && indexes.every(isIndex);
}

function isIndex(value: unknown): value is IndexDefinition {
  const { name, keyPath, unique, multiEntry } = asObject(value);
  return typeof name === 'string' && isKeyPath(keyPath) && typeof unique === 'boolean' && typeof multiEntry === 'boolean';
}

function isKeyPath(value: unknown): value is KeyPath {
  return typeof value === 'string' || (Array.isArray(value) && value.length > 0 && value.every((part) => typeof part === 'string'));
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 2 ** 53 && Number.isInteger(value);
}

function asObject(value: unknown): Unknown {
  return typeof value === 'object' && value !== null ? (value as Unknown) : {};
}

/** Whether two have the same stores and indexes, so that the records of one can be put into the other. */
export function haveSameStores(one: Pick<DatabaseHead, 'stores'>, other: Pick<DatabaseHead, 'stores'>): boolean {
  return described(one) === described(other);
}

function described({ stores }: Pick<DatabaseHead, 'stores'>): string {
  const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);
  const each = [...stores].sort(byName).map(({ name, keyPath, autoIncrement, indexes }) => {
    return [name, keyPath, autoIncrement, [...indexes].sort(byName).map((index) => [index.name, index.keyPath, index.unique, index.multiEntry])];
  });
  return JSON.stringify(each);
}
