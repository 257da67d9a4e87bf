import { encodeKey, type EncodedKey } from '../../disk/records/key.ts';
import type { Range } from '../../disk/records/record-database.ts';
import { domException } from '../../webidl/dom-exception.ts';

/** @throws DataError, and what getters throw. https://w3c.github.io/IndexedDB/#convert-value-to-key */
export function toKey(value: unknown, context: string): EncodedKey {
  const key = encodeKey(value);
  if (key === null) throw domException('DataError', `${context}: it is not a valid key.`);
  return key;
}

/** https://w3c.github.io/IndexedDB/#containing-only */
export function only(key: EncodedKey): Range {
  return { lower: key, upper: key, lowerOpen: false, upperOpen: false };
}
