/*
 * The bytes that say what follows in a written value; docs/FORMAT.md, "Values". A tag once given keeps its meaning: a
 * reader stops at one that it does not know, and what cannot be said with these gets a new one.
 */

export const tags = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  /** An integer of at most 32 bits: zigzag, in base 128. */
  integer: 4,
  /** A double, little-endian. */
  double: 5,
  /** A negative, or any other, integer of any size: its magnitude, little-endian, behind the number of its bytes. */
  bigint: 6,
  negativeBigint: 7,
  latin1: 8,
  utf16: 9,
  /** An object that was met before, by its number in the order in which they were. */
  reference: 16,
  object: 17,
  array: 18,
  /** An array of doubles only, without holes and other properties. */
  doubles: 19,
  date: 20,
  regExp: 21,
  boxedFalse: 22,
  boxedTrue: 23,
  boxedNumber: 24,
  boxedBigint: 25,
  boxedString: 26,
  map: 27,
  set: 28,
  error: 29,
  buffer: 30,
  resizableBuffer: 31,
  view: 32,
  /** A platform object: which interface, and the data of its serialization steps. */
  platform: 48,
  /** In an array: no element is here. */
  hole: 62,
  /** The end of the properties of an object or array. */
  end: 63,
} as const;

/** Kinds of views, by their places in this list. */
export const viewNames = [
  'DataView',
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'Float16Array',
] as const;

/** The names that errors keep; any other becomes `Error`. https://html.spec.whatwg.org/#structuredserializeinternal */
export const errorNames = ['Error', 'EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError'] as const;

/** Bits that say what an error has. */
export const errorHas = { message: 1, stack: 2, cause: 4 } as const;
