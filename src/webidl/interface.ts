import { define, ownProperty } from '../runtime/define.ts';

/** What `defineInterface` needs to know of an interface beyond its class. */
export interface InterfaceDefinition {
  /** The interface's identifier: the class name may differ after bundling. */
  readonly name: string;
  /** Number of required arguments of the constructor; 0 where users may not construct. */
  readonly length?: number;
  /** Regular operations, each with its number of required arguments. */
  readonly operations?: Readonly<Record<string, number>>;
  /** The same for static operations. */
  readonly staticOperations?: Readonly<Record<string, number>>;
  readonly attributes?: readonly string[];
}

type InterfaceClass = abstract new (...args: never[]) => object;

/**
 * The first argument of constructors that only Holdfast may call. Users cannot get at it, so
 * `new FileSystemHandle()` is an illegal constructor for them.
 */
export const internal: unique symbol = Symbol('internal');

/** https://webidl.spec.whatwg.org/#es-interface-call: an interface without a constructor operation. */
export function illegalConstructor(): never {
  throw new TypeError('Illegal constructor');
}

/** The error for an operation or attribute whose `this` is not what it should be. */
export function illegalInvocation(interfaceName: string): TypeError {
  return new TypeError(`Illegal invocation: this is not a ${interfaceName}`);
}

/** https://webidl.spec.whatwg.org/#dfn-create-operation-function: too few arguments are a TypeError. */
export function requireArguments(present: number, required: number, interfaceName: string, operation: string): void {
  if (present < required) {
    const noun = required === 1 ? 'argument' : 'arguments';
    throw new TypeError(
      `Failed to execute '${operation}' on '${interfaceName}': ${required} ${noun} required, but only ${present} present.`,
    );
  }
}

/** The same for a constructor. */
export function requireConstructorArguments(present: number, required: number, interfaceName: string): void {
  if (present < required) {
    const noun = required === 1 ? 'argument' : 'arguments';
    throw new TypeError(
      `Failed to construct '${interfaceName}': ${required} ${noun} required, but only ${present} present.`,
    );
  }
}

/** A constant, unwritable function property that engines allow to be redefined. */
function defineFixed(target: object, key: PropertyKey, value: unknown): void {
  define(target, key, { value, writable: false, enumerable: false, configurable: true });
}

function publishOperations(target: object, operations: Readonly<Record<string, number>>): void {
  for (const [name, length] of Object.entries(operations)) {
    const descriptor = ownProperty(target, name);
    if (typeof descriptor?.value !== 'function') throw new Error(`no operation ${name}`);
    defineFixed(descriptor.value, 'length', length);
    define(target, name, { ...descriptor, enumerable: true });
  }
}

function publishAttributes(target: object, attributes: readonly string[]): void {
  for (const name of attributes) {
    const descriptor = ownProperty(target, name);
    if (descriptor?.get === undefined) throw new Error(`no attribute ${name}`);
    define(target, name, { ...descriptor, enumerable: true });
  }
}

/**
 * Gives a class the shape that Web IDL asks of an interface object: enumerable members, lengths that count required
 * arguments, and a class string. https://webidl.spec.whatwg.org/#js-interfaces
 */
export function defineInterface(constructor: InterfaceClass, definition: InterfaceDefinition): void {
  const prototype = constructor.prototype as object;
  defineFixed(constructor, 'name', definition.name);
  defineFixed(constructor, 'length', definition.length ?? 0);
  publishOperations(prototype, definition.operations ?? {});
  publishOperations(constructor, definition.staticOperations ?? {});
  publishAttributes(prototype, definition.attributes ?? []);
  defineFixed(prototype, Symbol.toStringTag, definition.name);
}
