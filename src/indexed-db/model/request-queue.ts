import { RecordsBusyError } from '../../disk/records/records-error.ts';
import { ValueDamagedError } from '../../disk/values/value-error.ts';
import { isDOMException } from '../../runtime/errors.ts';
import { queueTask } from '../../runtime/tasks.ts';
import { setTimeout, uptime } from '../../runtime/timers.ts';
import { asWebError } from '../errors.ts';
import { LongWork, type Operation, type Pause } from './operation.ts';
import type { QueueItem } from './request.ts';
import type { Transaction } from './transaction.ts';

/** How many tasks are queued ahead for as many requests: that saves turns of the event loop. */
const AHEAD = 32;

/** How long work may go on in one task, of which some share a turn of the event loop; in milliseconds. */
const SLICE = 1;

/** How long somebody who writes without the writer's lock is waited for, and how long between two looks, in milliseconds. */
const PATIENCE = 5_000;
const RETRY_AFTER = 10;

/**
 * The requests of one transaction, each run in a task of its own. Invariants:
 * - the first item is the one that runs or will be next; it is taken out before its event is fired; each leads to the next;
 * - at most one task more is queued than there are items; one that finds nothing to do does nothing;
 * - while something outside is waited for, nothing runs.
 *
 * https://w3c.github.io/IndexedDB/#transaction-request-list
 */
export class RequestQueue {
  readonly #transaction: Transaction;
  #first: QueueItem | null = null;
  #last: QueueItem | null = null;
  #size = 0;
  #tasks = 0;
  #isWaiting = false;
  /** What the first item waits for has been done. */
  #isReady = false;
  #work: Generator<Pause, unknown, unknown> | null = null;
  #busySince: number | null = null;
  /** Operations that are told of the end. */
  #toEnd: Operation[] | null = null;
  isStarted = false;
  isClosed = false;
  readonly #task = (): void => this.#runTask();

  constructor(transaction: Transaction) {
    this.#transaction = transaction;
  }

  get size(): number {
    return this.#size;
  }

  /** What the first items ask for. */
  next(count: number): readonly Operation[] {
    const operations: Operation[] = [];
    for (let item = this.#first; item !== null && operations.length < count; item = item.next) operations.push(item.operation);
    return operations;
  }

  /** One that is in no queue. */
  add(item: QueueItem): void {
    if (this.#last === null) this.#first = item;
    else this.#last.next = item;
    this.#last = item;
    this.#size += 1;
    if (item.operation.end !== undefined) (this.#toEnd ??= []).push(item.operation);
    if (this.isStarted) this.#schedule();
  }

  start(): void {
    this.isStarted = true;
    this.#schedule();
  }

  /** Nothing runs any more. */
  close(): void {
    this.isClosed = true;
  }

  /** The same, with what has not been done. */
  abandon(): readonly QueueItem[] {
    this.isClosed = true;
    this.#work?.return(undefined);
    this.#work = null;
    const left: QueueItem[] = [];
    for (let item = this.#first; item !== null; item = this.#removed(item)) left.push(item);
    return left;
  }

  endOperations(): void {
    const operations = this.#toEnd;
    this.#toEnd = null;
    for (const operation of operations ?? []) operation.end?.();
  }

  #schedule(): void {
    if (this.#isWaiting || this.isClosed) return;
    for (const wanted = Math.min(this.size, AHEAD); this.#tasks < wanted; this.#tasks++) queueTask(this.#task);
  }

  #runTask(): void {
    this.#tasks--;
    const item = this.#first;
    if (item === null || this.#isWaiting || this.isClosed) return;
    this.#step(item);
    this.#schedule();
    this.#transaction.commitIfIdle();
  }

  #step(item: QueueItem): void {
    if (this.#work !== null) return this.#goOn(item, this.#work);
    const { operation } = item;
    if (operation.ready !== null && !this.#isReady) return this.#wait(item, operation.ready);
    let result: unknown;
    try {
      result = operation.run(this.#transaction);
    } catch (error) {
      return this.#failed(item, error);
    }
    if (!(result instanceof LongWork)) return this.#succeeded(item, result);
    this.#work = result.steps;
    this.#goOn(item, result.steps);
  }

  /** A slice of long work. */
  #goOn(item: QueueItem, work: Generator<Pause, unknown, unknown>): void {
    const end = uptime() + SLICE;
    try {
      do {
        const { done, value } = work.next();
        if (done === true) return this.#succeeded(item, value);
        if (value !== undefined) return this.#wait(item, value as Promise<unknown>);
      } while (uptime() < end);
    } catch (error) {
      this.#failed(item, error);
    }
  }

  #wait(item: QueueItem, pause: Promise<unknown>): void {
    this.#isWaiting = true;
    const goOn = (): void => {
      this.#isWaiting = false;
      this.#isReady = true;
      this.#schedule();
    };
    const fail = (error: unknown): void => {
      this.#isWaiting = false;
      if (this.isClosed) return;
      this.#failed(item, error);
      this.#schedule();
      this.#transaction.commitIfIdle();
    };
    pause.then(
      () => queueTask(goOn),
      (error: unknown) => queueTask(() => fail(error)),
    );
  }

  #take(item: QueueItem): void {
    this.#work = null;
    this.#isReady = false;
    this.#busySince = null;
    // Unless all were abandoned while it ran.
    if (this.#first === item) this.#removed(item);
  }

  /** Takes the first one out. @returns the next */
  #removed(item: QueueItem): QueueItem | null {
    const { next } = item;
    item.next = null;
    this.#first = next;
    if (next === null) this.#last = null;
    this.#size -= 1;
    return next;
  }

  #succeeded(item: QueueItem, result: unknown): void {
    this.#take(item);
    item.succeeded(result);
  }

  /**
   * What is no DOMException, and no fault of the value itself, leaves a transaction that writes in a state in which it can
   * only be rolled back.
   */
  #failed(item: QueueItem, error: unknown): void {
    if (error instanceof RecordsBusyError && this.#isPatient()) return void this.#tryLater();
    this.#take(item);
    const shown = asWebError(error, 'run a request of the transaction');
    item.failed(shown);
    const isHarmless = isDOMException(error) || error instanceof ValueDamagedError || this.#transaction.isReadOnly;
    if (!isHarmless) this.#transaction.abort(shown);
  }

  #isPatient(): boolean {
    this.#busySince ??= uptime();
    return uptime() - this.#busySince < PATIENCE;
  }

  #tryLater(): void {
    this.#isWaiting = true;
    this.#work = null;
    setTimeout(() => {
      this.#isWaiting = false;
      this.#schedule();
    }, RETRY_AFTER);
  }
}
