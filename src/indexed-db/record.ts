import { defineInterface, illegalConstructor, illegalInvocation, internal } from '../webidl/interface.ts';

/** One record, as `getAllRecords()` gives it. https://w3c.github.io/IndexedDB/#record-interface */
export class IDBRecord {
  readonly #key: unknown;
  readonly #primaryKey: unknown;
  readonly #value: unknown;

  /** @internal */
  constructor(token: typeof internal, key: unknown, primaryKey: unknown, value: unknown) {
    if (token !== internal) illegalConstructor();
    this.#key = key;
    this.#primaryKey = primaryKey;
    this.#value = value;
  }

  /** Of an index, the index's key. */
  get key(): unknown {
    if (!(#key in this)) throw illegalInvocation('IDBRecord');
    return this.#key;
  }

  get primaryKey(): unknown {
    if (!(#primaryKey in this)) throw illegalInvocation('IDBRecord');
    return this.#primaryKey;
  }

  get value(): unknown {
    if (!(#value in this)) throw illegalInvocation('IDBRecord');
    return this.#value;
  }
}

defineInterface(IDBRecord, { name: 'IDBRecord', attributes: ['key', 'primaryKey', 'value'] });
