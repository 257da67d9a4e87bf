import { define } from '../runtime/define.ts';
import { DOMString, unsignedLong } from '../webidl/conversions.ts';
import { defineInterface, illegalConstructor, illegalInvocation, internal, requireArguments } from '../webidl/interface.ts';

/**
 * Names in the order of their UTF-16 code units. https://html.spec.whatwg.org/#the-domstringlist-interface
 *
 * Its elements are properties of its own; nothing changes them, for the list is a snapshot.
 */
export class DOMStringList {
  readonly [index: number]: string;
  readonly #strings: readonly string[];

  /** @internal */
  constructor(token: typeof internal, strings: readonly string[]) {
    if (token !== internal) illegalConstructor();
    this.#strings = strings;
    strings.forEach((value, index) => define(this, index, { value, writable: false, enumerable: true, configurable: true }));
  }

  static #of(list: DOMStringList): readonly string[] {
    if (!(#strings in list)) throw illegalInvocation('DOMStringList');
    return list.#strings;
  }

  get length(): number {
    return DOMStringList.#of(this).length;
  }

  item(index: number): string | null {
    const strings = DOMStringList.#of(this);
    requireArguments(arguments.length, 1, 'DOMStringList', 'item');
    return strings[unsignedLong(index, "Failed to execute 'item' on 'DOMStringList': parameter 1")] ?? null;
  }

  contains(string: string): boolean {
    const strings = DOMStringList.#of(this);
    requireArguments(arguments.length, 1, 'DOMStringList', 'contains');
    return strings.includes(DOMString(string, "Failed to execute 'contains' on 'DOMStringList': parameter 1"));
  }

  declare [Symbol.iterator]: () => IterableIterator<string>;
}

defineInterface(DOMStringList, { name: 'DOMStringList', operations: { item: 1, contains: 1 }, attributes: ['length'] });
define(DOMStringList.prototype, Symbol.iterator, { value: Array.prototype[Symbol.iterator], writable: true, enumerable: false, configurable: true });

/** https://w3c.github.io/IndexedDB/#create-a-sorted-name-list */
export function sortedNames(names: Iterable<string>): DOMStringList {
  return new DOMStringList(internal, [...names].sort());
}
