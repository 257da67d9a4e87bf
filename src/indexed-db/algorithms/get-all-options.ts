import { isObject } from '../../runtime/brands.ts';
import { type Convert, dictionary, enumeration } from '../../webidl/conversions.ts';
import { enforcedUnsignedLong } from '../../webidl/integers.ts';
import type { Selection } from '../operations/retrieve.ts';
import type { IDBCursorDirection } from '../cursor.ts';
import { isKeyRange, toRange } from '../key-range.ts';

export const convertDirection: Convert<IDBCursorDirection> = enumeration('IDBCursorDirection', ['next', 'nextunique', 'prev', 'prevunique']);

/** https://w3c.github.io/IndexedDB/#dictdef-idbgetalloptions */
export interface IDBGetAllOptions {
  /** A key or an IDBKeyRange; all keys if absent. */
  query?: unknown;
  /** At most that many; all if absent or 0. */
  count?: number;
  direction?: IDBCursorDirection;
}

interface Options {
  readonly count?: number;
  readonly direction: IDBCursorDirection;
  readonly query?: unknown;
}

const convertOptions = dictionary<Options>({
  count: { convert: enforcedUnsignedLong },
  direction: { convert: convertDirection, default: 'next' },
  query: { convert: (value) => value },
});

/** What is asked for, before the query is looked at: that comes when the store is known to be there. */
export interface Asked {
  readonly query: unknown;
  /** Infinity: all. */
  readonly count: number;
  readonly direction: IDBCursorDirection;
}

/** What `getAllRecords()` is given. @throws TypeError */
export function askedByOptions(options: unknown, context: string): Asked {
  const { query, count, direction } = convertOptions(options, `${context}: parameter 1`);
  return { query, count: atMost(count), direction };
}

/**
 * What `getAll()` and `getAllKeys()` are given: a query and a count, or options.
 *
 * Differs from the standard: an object that has none of the options is taken for a query, and so is no valid key.
 *
 * @throws TypeError
 */
export function asked([query, count]: readonly unknown[], context: string): Asked {
  const limit = count === undefined ? undefined : enforcedUnsignedLong(count, `${context}: parameter 2`);
  if (isOptions(query)) return askedByOptions(query, context);
  return { query, count: atMost(limit), direction: 'next' };
}

/** @throws DataError */
export function selectionOf({ query, count, direction }: Asked, context: string): Selection {
  return { range: toRange(query, true, context), direction, count };
}

function isOptions(value: unknown): boolean {
  if (!isObject(value) || isKeyRange(value) || Array.isArray(value)) return false;
  return 'query' in value || 'count' in value || 'direction' in value;
}

/** https://w3c.github.io/IndexedDB/#retrieve-multiple-items-from-an-object-store */
function atMost(count: number | undefined): number {
  return count === undefined || count === 0 ? Infinity : count;
}
