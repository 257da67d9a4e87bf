import { define, ownProperty } from '../../runtime/define.ts';

/** A property that an install puts on an object, or takes away for its duration. */
export interface Definition {
  readonly target: object;
  readonly key: PropertyKey;
  /** Undefined: the property is taken away. */
  readonly descriptor: PropertyDescriptor | undefined;
}

/** https://webidl.spec.whatwg.org/#define-the-global-property-references */
export function interfaceObject(target: object, name: string, value: unknown): Definition {
  return { target, key: name, descriptor: { value, writable: true, enumerable: false, configurable: true } };
}

/**
 * The same for an interface whose making costs a start too much: an accessor until it is touched, as Node's own costly
 * interfaces are. Not to be undone, since it becomes another property by itself.
 */
export function deferredInterfaceObject(target: object, name: string, make: () => unknown): Definition {
  const settle = (value: unknown): void => putProperty(interfaceObject(target, name, value));
  const get = (): unknown => {
    const value = make();
    settle(value);
    return value;
  };
  return { target, key: name, descriptor: { get, set: settle, enumerable: false, configurable: true } };
}

/** https://webidl.spec.whatwg.org/#dfn-attribute: `holder` has the attribute's getter, and its setter if it has one. */
export function attribute(target: object, holder: object, name: string): Definition {
  const descriptor = ownProperty(holder, name);
  return { target, key: name, descriptor: { ...descriptor, enumerable: true, configurable: true } };
}

/** Puts the property there, or takes it away. */
export function putProperty({ target, key, descriptor }: Definition): void {
  if (descriptor !== undefined) define(target, key, descriptor);
  else Reflect.deleteProperty(target, key);
}
