import { boolean, type Convert, dictionary, DOMString, nullable } from '../webidl/conversions.ts';
import { unsignedLongLong } from '../webidl/integers.ts';
import { defineInterface, illegalInvocation, requireConstructorArguments } from '../webidl/interface.ts';

/** https://w3c.github.io/IndexedDB/#dictdef-idbversionchangeeventinit */
export interface IDBVersionChangeEventInit {
  bubbles?: boolean;
  cancelable?: boolean;
  composed?: boolean;
  newVersion?: number | null;
  oldVersion?: number;
}

const failing = "Failed to construct 'IDBVersionChangeEvent'";

const convertInit: Convert<IDBVersionChangeEventInit> = dictionary<IDBVersionChangeEventInit>({
  bubbles: { convert: boolean, default: false },
  cancelable: { convert: boolean, default: false },
  composed: { convert: boolean, default: false },
  newVersion: { convert: nullable(unsignedLongLong), default: null },
  oldVersion: { convert: unsignedLongLong, default: 0 },
});

/** https://w3c.github.io/IndexedDB/#idbversionchangeevent */
export class IDBVersionChangeEvent extends Event {
  readonly #oldVersion: number;
  readonly #newVersion: number | null;

  constructor(type: string, eventInitDict?: IDBVersionChangeEventInit) {
    requireConstructorArguments(arguments.length, 1, 'IDBVersionChangeEvent');
    const name = DOMString(type, `${failing}: parameter 1`);
    const { oldVersion = 0, newVersion = null, ...init } = convertInit(eventInitDict, `${failing}: parameter 2`);
    super(name, init);
    this.#oldVersion = oldVersion;
    this.#newVersion = newVersion;
  }

  get oldVersion(): number {
    if (!(#oldVersion in this)) throw illegalInvocation('IDBVersionChangeEvent');
    return this.#oldVersion;
  }

  /** Null: the database is to be deleted. */
  get newVersion(): number | null {
    if (!(#newVersion in this)) throw illegalInvocation('IDBVersionChangeEvent');
    return this.#newVersion;
  }
}

defineInterface(IDBVersionChangeEvent, { name: 'IDBVersionChangeEvent', length: 1, attributes: ['oldVersion', 'newVersion'] });
