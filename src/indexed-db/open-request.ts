import type { internal } from '../webidl/interface.ts';
import { defineInterface, illegalInvocation } from '../webidl/interface.ts';
import type { IDBDatabase } from './database.ts';
import { handlerOf, setHandler } from './events/event-node.ts';
import type { OpenRequest } from './model/open-request.ts';
import { type EventHandler, IDBRequest } from './request.ts';

/** https://w3c.github.io/IndexedDB/#idbopendbrequest */
export class IDBOpenDBRequest extends IDBRequest<IDBDatabase> {
  readonly #openRequest: OpenRequest;

  /** @internal */
  constructor(token: typeof internal, request: OpenRequest) {
    super(token, request);
    this.#openRequest = request;
  }

  static #requestOf(object: IDBOpenDBRequest): OpenRequest {
    if (!(#openRequest in object)) throw illegalInvocation('IDBOpenDBRequest');
    return object.#openRequest;
  }

  get onblocked(): EventHandler {
    return handlerOf(IDBOpenDBRequest.#requestOf(this), 'blocked') as EventHandler;
  }

  set onblocked(value: EventHandler) {
    setHandler(IDBOpenDBRequest.#requestOf(this), 'blocked', value);
  }

  get onupgradeneeded(): EventHandler {
    return handlerOf(IDBOpenDBRequest.#requestOf(this), 'upgradeneeded') as EventHandler;
  }

  set onupgradeneeded(value: EventHandler) {
    setHandler(IDBOpenDBRequest.#requestOf(this), 'upgradeneeded', value);
  }
}

defineInterface(IDBOpenDBRequest, { name: 'IDBOpenDBRequest', attributes: ['onblocked', 'onupgradeneeded'] });
