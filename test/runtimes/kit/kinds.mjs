// Values of every kind that can be stored, and of those that cannot.
import assert from 'node:assert/strict';

class Point {
  constructor(x) {
    this.x = x;
  }
  get twice() {
    return 2 * this.x;
  }
}

const typedArrays = ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'];
const errors = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError];

/** By name. Nothing but properties of its own is left of an object of a class, wherever it is cloned. */
const kinds = {
  primitives: () => [undefined, null, true, false, 0, -0, NaN, -Infinity, 2 ** 31, -(2 ** 53), 0.1, 'ü€😀', '\ud800', '', 2n ** 70n, -1n],
  boxed: () => [new Boolean(false), new Number(-0), new String('\udc00'), Object(5n)],
  dates: () => [new Date(5), new Date(NaN)],
  expressions: () => [/a\/b/giu, /[\n]/sy],
  objects: () => ({ __proto__: null, nested: { ['__proto__']: 1, constructor: 2 }, '': 3, 10: 'ten', 9: 'nine' }),
  'objects of classes': () => [new Point(1), new (class extends Map {})([[1, 2]]), Object.create(new Point(2), { own: { value: 3, enumerable: true } })],
  arrays: () => [[], [1, , 3], Object.assign(['a'], { name: 'b' }), Array(5), [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5, 11.5, 12.5, 13.5, 14.5, 15.5, 16.5]],
  'maps and sets': () => new Map([[{ key: 1 }, new Set([NaN, 'a', new Map()])]]),
  buffers: () => [new Uint8Array([1, 2, 3]).buffer, new DataView(new Uint8Array([4, 5, 6]).buffer, 1, 2)],
  'typed arrays': () => typedArrays.map((name) => globalThis[name].from(name.startsWith('Big') ? [1n, 2n] : [1, 2])),
};

/** What is to be stored: all of it at once, with an object that is met twice and one that holds itself. */
export function everyKind() {
  const value = Object.fromEntries(Object.entries(kinds).map(([name, make]) => [name, make()]));
  value.errors = errors.map((Kind) => new Kind(`a ${Kind.name}`, { cause: { code: 5 } }));
  value.shared = [value.dates, value.dates];
  value.self = value;
  return value;
}

/** Throws unless `found` is what structuredClone makes of every kind. */
export function assertEveryKind(found) {
  assert.deepEqual(Object.keys(found), Object.keys(everyKind()));
  for (const [name, make] of Object.entries(kinds)) assert.deepEqual(plainly(found[name]), plainly(structuredClone(make())), name);
  assert.deepEqual(found.errors.map(({ constructor, message, cause }) => [constructor, message, cause]), errors.map((Kind) => [Kind, `a ${Kind.name}`, { code: 5 }]));
  assert.equal(found.shared[0], found.dates);
  assert.equal(found.shared[1], found.dates);
  assert.equal(found.self, found);
}

/** With what every runtime compares in the place of dates, buffers and views of them. */
function plainly(value) {
  if (ArrayBuffer.isView(value)) return [value.constructor.name, value.byteOffset, value.byteLength, ...new Uint8Array(value.buffer)];
  if (value instanceof Date) return ['Date', value.getTime()];
  if (value instanceof ArrayBuffer) return ['ArrayBuffer', ...new Uint8Array(value)];
  return Array.isArray(value) && Object.keys(value).length === value.length ? value.map(plainly) : value;
}

/** What is refused with a DataCloneError, by name. */
export const uncloneable = {
  function: () => 1,
  symbol: Symbol('s'),
  promise: Promise.resolve(),
  WeakMap: new WeakMap(),
  WeakSet: new WeakSet(),
  WeakRef: new WeakRef({}),
  proxy: new Proxy({}, {}),
  generator: (function* () {})(),
  iterator: new Map().keys(),
  arguments: (function () {
    return arguments;
  })(1),
  'shared memory': new SharedArrayBuffer(8),
  URL: new URL('https://a.example'),
  Request: new Request('https://a.example'),
  'within an object of a class': Object.assign(new Point(1), { f: () => 1 }),
};
