import { define, ownProperty } from '../../runtime/define.ts';

/** A property that an install puts on an object, or takes away for its duration. */
export interface Definition {
  readonly target: object;
  readonly key: PropertyKey;
  /** Undefined: the property is taken away. A deferred one becomes another at its first touch. */
  descriptor: PropertyDescriptor | undefined;
}

/** https://webidl.spec.whatwg.org/#define-the-global-property-references */
export function interfaceObject(target: object, name: string, value: unknown): Definition {
  return { target, key: name, descriptor: { value, writable: true, enumerable: false, configurable: true } };
}

/**
 * The same for an interface whose making costs too much to be done for every program: an accessor until it is touched,
 * as Node's own costly interfaces are.
 */
export function deferredInterfaceObject(target: object, name: string, make: () => unknown): Definition {
  const get = (): unknown => {
    const settled = interfaceObject(target, name, make());
    // Whatever was put there since keeps its place.
    if (ownProperty(target, name)?.get === get) {
      putProperty(settled);
      definition.descriptor = settled.descriptor;
    }
    return settled.descriptor?.value;
  };
  const set = (value: unknown): void => putProperty(interfaceObject(target, name, value));
  const definition: Definition = { target, key: name, descriptor: { get, set, enumerable: false, configurable: true } };
  return definition;
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
