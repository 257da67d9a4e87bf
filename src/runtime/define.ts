/**
 * The same properties without a prototype, for whoever reads what is absent too: a library may have put `get`, `value` or
 * the name of an option on `Object.prototype`.
 */
export function bare<T extends object>(own: T): T {
  return Object.assign(Object.create(null) as T, own);
}

/** `Object.defineProperty` by the attributes that are given alone; a lint rule forbids the original, which takes inherited ones too. */
export function define<T extends object>(target: T, key: PropertyKey, attributes: PropertyDescriptor): T {
  // eslint-disable-next-line no-restricted-properties -- the one place
  return Object.defineProperty(target, key, bare(attributes));
}

/** An own property, of which the descriptor says what it has and nothing else. */
export function ownProperty(object: object, key: PropertyKey): PropertyDescriptor | undefined {
  // eslint-disable-next-line no-restricted-properties -- the one place
  const property = Object.getOwnPropertyDescriptor(object, key);
  return property && bare(property);
}

/** `list.push(item)`, also where a program has put a setter of that index on a prototype of all arrays. */
export function append<T>(list: T[], item: T): void {
  if (list.length in Array.prototype) define(list, list.length, { value: item, writable: true, enumerable: true, configurable: true });
  else list.push(item);
}
