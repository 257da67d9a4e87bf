import { initEvent } from '../runtime/init-event.ts';
import { boolean, dictionary, DOMString, nullable, USVString, type Convert } from '../webidl/conversions.ts';
import { defineInterface, illegalInvocation, requireArguments, requireConstructorArguments } from '../webidl/interface.ts';
import { isStorage, type Storage } from './storage.ts';

/** https://html.spec.whatwg.org/#storageeventinit */
export interface StorageEventInit {
  bubbles?: boolean;
  cancelable?: boolean;
  composed?: boolean;
  key?: string | null;
  newValue?: string | null;
  oldValue?: string | null;
  storageArea?: Storage | null;
  url?: string;
}

const nullableString = nullable(DOMString);

const nullableStorage: Convert<Storage | null> = nullable((value, context) => {
  if (!isStorage(value)) throw new TypeError(`${context} is not a Storage.`);
  return value;
});

const convertInit = dictionary<StorageEventInit>({
  bubbles: { convert: boolean, default: false },
  cancelable: { convert: boolean, default: false },
  composed: { convert: boolean, default: false },
  key: { convert: nullableString, default: null },
  newValue: { convert: nullableString, default: null },
  oldValue: { convert: nullableString, default: null },
  storageArea: { convert: nullableStorage, default: null },
  url: { convert: USVString, default: '' },
});

const inConstructor = "Failed to construct 'StorageEvent'";
const inInit = "Failed to execute 'initStorageEvent' on 'StorageEvent'";

/** What the event tells beside what every event does. */
interface Details {
  readonly key: string | null;
  readonly oldValue: string | null;
  readonly newValue: string | null;
  readonly url: string;
  readonly storageArea: Storage | null;
}

/** https://dom.spec.whatwg.org/#dom-event-none */
const NOT_DISPATCHED = 0;

/**
 * Tells a client that another one changed a storage. https://html.spec.whatwg.org/#the-storageevent-interface
 */
export class StorageEvent extends Event {
  #details: Details;

  constructor(type: string, eventInitDict: StorageEventInit = {}) {
    requireConstructorArguments(arguments.length, 1, 'StorageEvent');
    const name = DOMString(type, `${inConstructor}: parameter 1`);
    const init = convertInit(eventInitDict, `${inConstructor}: parameter 2`);
    super(name, { bubbles: init.bubbles === true, cancelable: init.cancelable === true, composed: init.composed === true });
    const { key = null, oldValue = null, newValue = null, url = '', storageArea = null } = init;
    this.#details = { key, oldValue, newValue, url, storageArea };
  }

  /** Null: the storage was cleared. */
  get key(): string | null {
    return StorageEvent.#of(this).key;
  }

  /** Null: the key is new. */
  get oldValue(): string | null {
    return StorageEvent.#of(this).oldValue;
  }

  /** Null: the key was removed. */
  get newValue(): string | null {
    return StorageEvent.#of(this).newValue;
  }

  /** URL of the client that made the change. */
  get url(): string {
    return StorageEvent.#of(this).url;
  }

  /** The receiving client's own object of the storage that changed. */
  get storageArea(): Storage | null {
    return StorageEvent.#of(this).storageArea;
  }

  /** https://html.spec.whatwg.org/#dom-storageevent-initstorageevent; without effect while it is being dispatched. */
  initStorageEvent(
    type: string,
    bubbles = false,
    cancelable = false,
    key: string | null = null,
    oldValue: string | null = null,
    newValue: string | null = null,
    url = '',
    storageArea: Storage | null = null,
  ): void {
    StorageEvent.#of(this);
    requireArguments(arguments.length, 1, 'StorageEvent', 'initStorageEvent');
    const name = DOMString(type, `${inInit}: parameter 1`);
    const details = {
      key: nullableString(key, `${inInit}: parameter 4`),
      oldValue: nullableString(oldValue, `${inInit}: parameter 5`),
      newValue: nullableString(newValue, `${inInit}: parameter 6`),
      url: USVString(url, `${inInit}: parameter 7`),
      storageArea: nullableStorage(storageArea, `${inInit}: parameter 8`),
    };
    if (this.eventPhase !== NOT_DISPATCHED) return;
    initEvent(this, name, boolean(bubbles), boolean(cancelable));
    this.#details = details;
  }

  static #of(event: StorageEvent): Details {
    if (!(#details in event)) throw illegalInvocation('StorageEvent');
    return event.#details;
  }
}

defineInterface(StorageEvent, {
  name: 'StorageEvent',
  length: 1,
  attributes: ['key', 'oldValue', 'newValue', 'url', 'storageArea'],
  operations: { initStorageEvent: 1 },
});
