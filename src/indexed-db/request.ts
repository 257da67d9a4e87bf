import { domException } from '../webidl/dom-exception.ts';
import { defineInterface, illegalConstructor, illegalInvocation, internal, requireArguments } from '../webidl/interface.ts';
import type { IDBCursor } from './cursor.ts';
import { dispatchFromScript } from './events/dispatch.ts';
import { addListener, handlerOf, removeListener, setHandler } from './events/event-node.ts';
import type { Operation } from './model/operation.ts';
import { Request } from './model/request.ts';
import type { Transaction } from './model/transaction.ts';
import type { IDBObjectStore } from './object-store.ts';
import type { IDBIndex } from './store-index.ts';
import type { IDBTransaction } from './transaction.ts';

/** https://w3c.github.io/IndexedDB/#enumdef-idbrequestreadystate */
export type IDBRequestReadyState = 'pending' | 'done';

/** What handlers of events are given. */
export type EventHandler = ((this: unknown, event: Event) => unknown) | null;

/** https://w3c.github.io/IndexedDB/#idbrequest */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as lib.dom has it: only the program knows what it stored
export class IDBRequest<T = any> extends EventTarget {
  readonly #request: Request;

  /** @internal */
  constructor(token: typeof internal, request: Request) {
    if (token !== internal) illegalConstructor();
    super();
    this.#request = request;
    request.object = this;
  }

  static #of(object: IDBRequest): Request {
    if (!(#request in object)) throw illegalInvocation('IDBRequest');
    return object.#request;
  }

  /** @throws InvalidStateError while it is pending */
  get result(): T {
    const request = IDBRequest.#of(this);
    if (!request.isDone) throw pending('result');
    return request.result as T;
  }

  /** @throws InvalidStateError while it is pending */
  get error(): DOMException | null {
    const request = IDBRequest.#of(this);
    if (!request.isDone) throw pending('error');
    return request.error;
  }

  get source(): IDBObjectStore | IDBIndex | IDBCursor | null {
    return IDBRequest.#of(this).source as IDBObjectStore | IDBIndex | IDBCursor | null;
  }

  /** Null for what opens or deletes a database, but during its upgrade. */
  get transaction(): IDBTransaction | null {
    return (IDBRequest.#of(this).transaction?.object ?? null) as IDBTransaction | null;
  }

  get readyState(): IDBRequestReadyState {
    return IDBRequest.#of(this).isDone ? 'done' : 'pending';
  }

  get onsuccess(): EventHandler {
    return handlerOf(IDBRequest.#of(this), 'success') as EventHandler;
  }

  set onsuccess(value: EventHandler) {
    setHandler(IDBRequest.#of(this), 'success', value);
  }

  get onerror(): EventHandler {
    return handlerOf(IDBRequest.#of(this), 'error') as EventHandler;
  }

  set onerror(value: EventHandler) {
    setHandler(IDBRequest.#of(this), 'error', value);
  }

  override addEventListener(...args: unknown[]): void {
    const request = IDBRequest.#of(this);
    requireArguments(args.length, 2, 'EventTarget', 'addEventListener');
    addListener(request, args);
  }

  override removeEventListener(...args: unknown[]): void {
    const request = IDBRequest.#of(this);
    requireArguments(args.length, 2, 'EventTarget', 'removeEventListener');
    removeListener(request, args);
  }

  override dispatchEvent(...args: unknown[]): boolean {
    const request = IDBRequest.#of(this);
    requireArguments(args.length, 1, 'EventTarget', 'dispatchEvent');
    return dispatchFromScript(request, args[0]);
  }
}

defineInterface(IDBRequest, {
  name: 'IDBRequest',
  attributes: ['result', 'error', 'source', 'transaction', 'readyState', 'onsuccess', 'onerror'],
});

function pending(attribute: string): DOMException {
  return domException('InvalidStateError', `Failed to read the '${attribute}' property from 'IDBRequest': the request has not finished.`);
}

/** https://w3c.github.io/IndexedDB/#asynchronously-execute-a-request */
export function placeRequest(source: object, transaction: Transaction, operation: Operation): IDBRequest {
  const request = new Request(source, transaction, operation);
  const object = new IDBRequest(internal, request);
  transaction.place(request);
  return object;
}
