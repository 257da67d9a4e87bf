import { domException } from '../../webidl/dom-exception.ts';
import { EventNode } from '../events/event-node.ts';
import { fire, type Outcome } from '../events/dispatch.ts';
import type { Operation } from './operation.ts';
import type { Transaction } from './transaction.ts';

const failure = { bubbles: true, cancelable: true };
const success = { bubbles: false, cancelable: false };

/** What waits in a transaction for its turn: a request, or a change of the stores, which has no events. */
export interface QueueItem {
  readonly operation: Operation;
  /** The one behind it, as its queue has it. */
  next: QueueItem | null;
  succeeded(result: unknown): void;
  failed(error: DOMException): void;
  /** The transaction was aborted before it was done; to be called in a task of its own. */
  aborted(): void;
}

/** https://w3c.github.io/IndexedDB/#request-construct */
export class Request extends EventNode implements QueueItem {
  /** The interface object; whoever makes the request sets it at once. */
  object: EventTarget = none;
  readonly source: object | null;
  transaction: Transaction | null;
  operation: Operation;
  next: QueueItem | null = null;
  isDone = false;
  result: unknown = undefined;
  error: DOMException | null = null;

  constructor(source: object | null, transaction: Transaction | null, operation: Operation) {
    super();
    this.source = source;
    this.transaction = transaction;
    this.operation = operation;
  }

  get parent(): EventNode | null {
    return this.transaction;
  }

  succeeded(result: unknown): void {
    this.settle(result, null);
    this.transaction?.fireSuccess(this);
  }

  failed(error: DOMException): void {
    this.settle(undefined, error);
    this.transaction?.fireError(this, error);
  }

  aborted(): void {
    this.settle(undefined, domException('AbortError', 'The transaction was aborted.'));
    this.fireError();
  }

  /** It waits again: a cursor goes on. */
  restart(operation: Operation): void {
    this.operation = operation;
    this.isDone = false;
    this.result = undefined;
  }

  settle(result: unknown, error: DOMException | null): void {
    this.isDone = true;
    // A program may keep its requests, and need not keep what they wrote.
    this.operation = done;
    this.result = result;
    this.error = error;
  }

  fireSuccess(): Outcome {
    return fire(this, 'success', success);
  }

  fireError(): Outcome {
    return fire(this, 'error', failure);
  }
}

const none = new EventTarget();
const done: Operation = { ready: null, run: () => undefined };
