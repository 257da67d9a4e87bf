import { define, ownProperty } from '../../runtime/define.ts';

/** A function of the platform. */
export type Method = (this: unknown, ...args: unknown[]) => unknown;

/** Changes to objects that are not ours, which can be taken back where nobody has changed them since. */
export class Patches {
  readonly #undo: (() => void)[] = [];

  /** Puts `wrap`'s result in the place of a method that `object` has or inherits. Does nothing where there is none. */
  method(object: object, name: PropertyKey, wrap: (original: Method) => Method): void {
    const original: unknown = Reflect.get(object, name);
    if (typeof original !== 'function') return;
    const replacement = wrap(original as Method);
    define(replacement, 'name', { value: original.name, configurable: true });
    define(replacement, 'length', { value: original.length, configurable: true });
    this.property(object, name, { value: replacement });
  }

  /** Changes the attributes given of a property, keeps the others, or defines it like a method of a built-in class. */
  property(object: object, name: PropertyKey, attributes: PropertyDescriptor): void {
    const before = ownProperty(object, name);
    if (before?.configurable === false && before.writable !== true) return;
    const kind = Object.hasOwn(attributes, 'value') ? { writable: true } : {};
    define(object, name, before === undefined ? { configurable: true, ...kind, ...attributes } : attributes);
    const ours = ownProperty(object, name);
    this.#undo.push(() => {
      const now = ownProperty(object, name);
      if (now?.value !== ours?.value || now?.get !== ours?.get) return;
      if (before === undefined) Reflect.deleteProperty(object, name);
      else define(object, name, before);
    });
  }

  undo(): void {
    for (const undo of this.#undo.splice(0).reverse()) undo();
  }
}
