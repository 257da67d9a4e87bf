import { compareKeys, decodeKey, type EncodedKey } from '../disk/records/key.ts';
import type { Range } from '../disk/records/record-database.ts';
import { isObject } from '../runtime/brands.ts';
import { boolean } from '../webidl/conversions.ts';
import { domException } from '../webidl/dom-exception.ts';
import { defineInterface, illegalConstructor, illegalInvocation, internal, requireArguments } from '../webidl/interface.ts';
import { only, toKey } from './algorithms/keys.ts';

const interfaceName = 'IDBKeyRange';

let rangeOf: (value: unknown) => Range | null = () => null;

/** A continuous interval of keys. https://w3c.github.io/IndexedDB/#keyrange */
export class IDBKeyRange {
  readonly #range: Range;

  static {
    rangeOf = (value) => (isObject(value) && #range in value ? value.#range : null);
  }

  /** @internal */
  constructor(token: typeof internal, range: Range) {
    if (token !== internal) illegalConstructor();
    this.#range = range;
  }

  /** @throws DataError */
  static only(value: unknown): IDBKeyRange {
    requireArguments(arguments.length, 1, interfaceName, 'only');
    return new IDBKeyRange(internal, only(toKey(value, failing('only'))));
  }

  /** @throws DataError */
  static lowerBound(lower: unknown, open: unknown = false): IDBKeyRange {
    requireArguments(arguments.length, 1, interfaceName, 'lowerBound');
    const isOpen = boolean(open);
    return new IDBKeyRange(internal, { lower: toKey(lower, failing('lowerBound')), upper: null, lowerOpen: isOpen, upperOpen: true });
  }

  /** @throws DataError */
  static upperBound(upper: unknown, open: unknown = false): IDBKeyRange {
    requireArguments(arguments.length, 1, interfaceName, 'upperBound');
    const isOpen = boolean(open);
    return new IDBKeyRange(internal, { lower: null, upper: toKey(upper, failing('upperBound')), lowerOpen: true, upperOpen: isOpen });
  }

  /** @throws DataError also for a lower bound that is greater than the upper one, or where they are equal and one is open */
  static bound(lower: unknown, upper: unknown, lowerOpen: unknown = false, upperOpen: unknown = false): IDBKeyRange {
    requireArguments(arguments.length, 2, interfaceName, 'bound');
    const range = { lower: toKey(lower, failing('bound')), upper: toKey(upper, failing('bound')), lowerOpen: boolean(lowerOpen), upperOpen: boolean(upperOpen) };
    const order = compareKeys(range.lower, range.upper);
    if (order > 0) throw domException('DataError', `${failing('bound')}: the lower key is greater than the upper key.`);
    if (order === 0 && (range.lowerOpen || range.upperOpen)) throw domException('DataError', `${failing('bound')}: the keys are equal and a bound is open.`);
    return new IDBKeyRange(internal, range);
  }

  static #rangeOf(range: IDBKeyRange): Range {
    if (!(#range in range)) throw illegalInvocation(interfaceName);
    return range.#range;
  }

  get lower(): unknown {
    return valueOf(IDBKeyRange.#rangeOf(this).lower);
  }

  get upper(): unknown {
    return valueOf(IDBKeyRange.#rangeOf(this).upper);
  }

  get lowerOpen(): boolean {
    return IDBKeyRange.#rangeOf(this).lowerOpen;
  }

  get upperOpen(): boolean {
    return IDBKeyRange.#rangeOf(this).upperOpen;
  }

  /** @throws DataError */
  includes(key: unknown): boolean {
    const range = IDBKeyRange.#rangeOf(this);
    requireArguments(arguments.length, 1, interfaceName, 'includes');
    return isInRange(range, toKey(key, failing('includes')));
  }
}

defineInterface(IDBKeyRange, {
  name: interfaceName,
  staticOperations: { only: 1, lowerBound: 1, upperBound: 1, bound: 2 },
  operations: { includes: 1 },
  attributes: ['lower', 'upper', 'lowerOpen', 'upperOpen'],
});

function failing(operation: string): string {
  return `Failed to execute '${operation}' on '${interfaceName}'`;
}

function valueOf(bound: EncodedKey | null): unknown {
  return bound === null ? undefined : decodeKey(bound);
}

/** https://w3c.github.io/IndexedDB/#in-a-key-range */
function isInRange({ lower, upper, lowerOpen, upperOpen }: Range, key: EncodedKey): boolean {
  if (lower !== null) {
    const order = compareKeys(key, lower);
    if (order < 0 || (order === 0 && lowerOpen)) return false;
  }
  if (upper === null) return true;
  const order = compareKeys(key, upper);
  return order < 0 || (order === 0 && !upperOpen);
}

/**
 * Null: all keys. Where that is not allowed, it is a DataError.
 * https://w3c.github.io/IndexedDB/#convert-a-value-to-a-key-range
 */
export function toRange(value: unknown, mayBeAll: boolean, context: string): Range | null {
  const range = rangeOf(value);
  if (range !== null) return range;
  if (value !== undefined && value !== null) return only(toKey(value, context));
  if (mayBeAll) return null;
  throw domException('DataError', `${context}: no key or key range was given.`);
}

/** Whether it is a range of this realm. */
export function isKeyRange(value: unknown): boolean {
  return rangeOf(value) !== null;
}
