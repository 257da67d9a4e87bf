import type { Schema, UpgradeTransaction, WriteTransaction } from '../../disk/records/record-database.ts';
import { afterMicrotasks, runMicrotasks } from '../../runtime/microtasks.ts';
import { queueTask } from '../../runtime/tasks.ts';
import { uptime } from '../../runtime/timers.ts';
import { domException } from '../../webidl/dom-exception.ts';
import { asWebError } from '../errors.ts';
import { fire, type Outcome } from '../events/dispatch.ts';
import { EventNode } from '../events/event-node.ts';
import type { Connection } from './connection.ts';
import type { OpenRequest } from './open-request.ts';
import type { EngineTransaction, Operation } from './operation.ts';
import type { QueueItem, Request } from './request.ts';
import { RequestQueue } from './request-queue.ts';
import type { SchemaSnapshot } from './schema-snapshot.ts';
import type { StoreModel } from './store.ts';
import type { WriterPlace } from './writer-places.ts';

export type TransactionMode = 'readonly' | 'readwrite' | 'versionchange';
export type Durability = 'default' | 'strict' | 'relaxed';

/** What an upgrade has that other transactions have not. */
export interface Upgrade {
  /** The request whose result is the connection. */
  readonly request: OpenRequest;
  readonly before: SchemaSnapshot;
  readonly versionBefore: number;
}

/** For so long what the journal said is as good as what it says, in milliseconds: nobody is taken for dead so soon. */
const JUST_MS = 1;

/**
 * https://w3c.github.io/IndexedDB/#transaction-construct. Invariants:
 * - requests run in the order in which they were placed, one at a time, and none before the transaction has started;
 * - it is active only while a task that created it or handles one of its events runs, with its microtasks;
 * - it ends exactly once, with one `complete` or `abort`, behind the events of all its requests; what it waits for or
 *   holds (claims, its place among others, files) is given up then.
 */
export class Transaction extends EventNode {
  /** The interface object; whoever makes the transaction sets it at once. */
  object: EventTarget = none;
  readonly connection: Connection;
  readonly scope: readonly StoreModel[];
  readonly mode: TransactionMode;
  readonly durability: Durability;
  readonly upgrade: Upgrade | null;
  state: 'active' | 'inactive' | 'committing' | 'finished' = 'active';
  error: DOMException | null = null;
  hasAborted = false;
  /** Object store handles by their stores: each has one. */
  readonly handles = new Map<StoreModel, object>();
  /** How often it has written: what was read ahead before is out of date. */
  writes = 0;
  /** Gives up what it holds among others. */
  leave: () => void = nothing;
  /** Its place among those of all realms, where it needs one. */
  writerPlace: WriterPlace | null = null;
  /** Called when it has ended, after the last event. */
  ended: (() => void) | null = null;
  #engine: EngineTransaction | null = null;
  /** What it leaves. */
  #schema: Schema | null = null;
  readonly #queue: RequestQueue;
  #blockers = 0;

  constructor(connection: Connection, scope: readonly StoreModel[], mode: TransactionMode, durability: Durability, upgrade: Upgrade | null = null) {
    super();
    this.connection = connection;
    this.scope = scope;
    this.mode = mode;
    this.durability = durability;
    this.upgrade = upgrade;
    this.#queue = new RequestQueue(this);
    connection.transactions.add(this);
  }

  get parent(): EventNode {
    return this.connection;
  }

  get isReadOnly(): boolean {
    return this.mode === 'readonly';
  }

  /** Whether it has begun to write, and did so to its end. */
  get hasWritten(): boolean {
    return this.mode === 'readwrite' && this.#engine !== null && !this.hasAborted;
  }

  /** To be asked for from an operation that runs. @throws RecordsBusyError, OverQuotaError, RecordsDamagedError */
  get engine(): EngineTransaction {
    return (this.#engine ??= this.#begin());
  }

  /** The same where the mode allows it, which was checked when the request was placed. */
  get writer(): WriteTransaction {
    return this.engine as WriteTransaction;
  }

  get upgrader(): UpgradeTransaction {
    return this.engine as UpgradeTransaction;
  }

  #begin(): EngineTransaction {
    const { records } = this.connection.database;
    // Where there are snapshots, SQLite's own locks keep writers apart too, and whoever has lost its place is told at the end.
    if (!records.hasSnapshots) requireHeld(this.writerPlace);
    if (this.mode === 'readonly') return records.read(true);
    return this.mode === 'readwrite' ? records.write(this.writerPlace?.isNext) : records.upgrade();
  }

  /** It has to wait for something more. */
  block(): void {
    this.#blockers++;
  }

  /** For something less. */
  unblock(): void {
    this.#blockers--;
    this.startIfPossible();
  }

  startIfPossible(): void {
    if (this.#blockers > 0 || this.state === 'finished' || this.#queue.isStarted) return;
    this.#queue.start();
    this.commitIfIdle();
  }

  /** https://w3c.github.io/IndexedDB/#cleanup-indexed-database-transactions */
  deactivateAfterTask(): void {
    afterMicrotasks(() => {
      if (this.#deactivate()) this.commitIfIdle();
    });
  }

  /** Places a request, or a change of the stores. https://w3c.github.io/IndexedDB/#asynchronously-execute-a-request */
  place(item: QueueItem): void {
    this.#queue.add(item);
  }

  /** How many requests have not been done, the one that runs included. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** What the first of those ask for. */
  next(count: number): readonly Operation[] {
    return this.#queue.next(count);
  }

  /** Runs `body`, such as getters of a value that is cloned, while nothing can be placed. */
  whileInactive<T>(body: () => T): T {
    this.#deactivate();
    try {
      return body();
    } finally {
      this.activate();
    }
  }

  activate(): void {
    if (this.state === 'inactive') this.state = 'active';
  }

  #deactivate(): boolean {
    if (this.state !== 'active') return false;
    this.state = 'inactive';
    return true;
  }

  /** Fires an event at the request that opens the database, while it is active; `next` is called when it no longer is. */
  fireUpgradeNeeded(fireEvent: () => Outcome, next: () => void): void {
    this.activate();
    const { didThrow } = fireEvent();
    this.#afterListeners(() => {
      if (this.#deactivate() && didThrow) this.abort(uncaught());
      next();
    });
  }

  /** https://w3c.github.io/IndexedDB/#fire-success-event */
  fireSuccess(request: Request): void {
    this.activate();
    const { didThrow } = request.fireSuccess();
    if (runMicrotasks !== null) this.#succeeded(didThrow);
    else this.#afterListeners(() => this.#succeeded(didThrow));
  }

  #succeeded(didThrow: boolean): void {
    if (this.#deactivate() && didThrow) this.abort(uncaught());
    else this.commitIfIdle();
  }

  /** https://w3c.github.io/IndexedDB/#fire-error-event */
  fireError(request: Request, error: DOMException): void {
    this.activate();
    const outcome = request.fireError();
    this.#afterListeners(() => this.#failed(outcome, error));
  }

  /** An error that nobody has dealt with aborts the transaction also when `commit()` was called before. */
  #failed({ didThrow, isCanceled }: Outcome, error: DOMException): void {
    const wasActive = this.#deactivate();
    if (wasActive && didThrow) this.abort(uncaught());
    else if ((wasActive || this.state === 'committing') && !isCanceled) this.abort(error);
    else this.commitIfIdle();
  }

  /** When the microtasks of the listeners have run, in which the transaction is still active. */
  #afterListeners(next: () => void): void {
    if (runMicrotasks === null) afterMicrotasks(next);
    else next();
  }

  /** https://w3c.github.io/IndexedDB/#transaction-lifetime: whoever is idle commits by itself. */
  commitIfIdle(): void {
    if (!this.#queue.isStarted || this.#queue.size > 0) return;
    if (this.state === 'inactive') this.state = 'committing';
    if (this.state === 'committing') this.#commit();
  }

  /** https://w3c.github.io/IndexedDB/#commit-a-transaction, also with requests that are still to be run */
  commit(): void {
    this.state = 'committing';
    this.commitIfIdle();
  }

  #commit(): void {
    if (this.#queue.isClosed) return;
    this.#queue.close();
    try {
      const lasting = this.#endEngine();
      if (lasting === null) queueTask(() => this.#complete());
      else lasting.then(() => queueTask(() => this.#complete()), (error: unknown) => this.abort(asWebError(error, 'commit the transaction')));
    } catch (error) {
      this.abort(asWebError(error, 'commit the transaction'));
    }
  }

  #endEngine(): Promise<void> | null {
    const engine = this.#engine;
    if (engine === null) return null;
    if (!this.#isSurelyHeld()) requireHeld(this.writerPlace);
    if (this.mode !== 'readonly') {
      if (this.upgrade !== null) this.#schema = engine.schema;
      return (engine as WriteTransaction).commit(this.durability);
    }
    engine.rollback();
    return null;
  }

  /** It was just seen, and SQLite's own locks have kept others out since then: they come after it. */
  #isSurelyHeld(): boolean {
    const { writerPlace } = this;
    return writerPlace !== null && this.connection.database.records.hasSnapshots && uptime() - writerPlace.seen < JUST_MS;
  }

  #complete(): void {
    if (this.state === 'finished') return;
    this.state = 'finished';
    if (this.upgrade !== null && this.#schema !== null) this.connection.database.upgraded(this.#schema);
    this.#end('complete', false);
  }

  /** https://w3c.github.io/IndexedDB/#abort-a-transaction; null: the program asked for it. */
  abort(error: DOMException | null): void {
    if (this.state === 'finished') return;
    this.state = 'finished';
    this.hasAborted = true;
    this.error = error;
    const left = this.#queue.abandon();
    this.#rollback();
    if (this.upgrade !== null) this.connection.revert(this.upgrade);
    for (const item of left) queueTask(() => item.aborted());
    queueTask(() => this.#end('abort', true));
  }

  #rollback(): void {
    try {
      this.#engine?.rollback();
    } catch {
      // What it wrote was not committed, and the connection below is of no use any more, which its next user is told.
    }
  }

  #end(type: 'complete' | 'abort', bubbles: boolean): void {
    this.#queue.endOperations();
    this.leave();
    if (this.upgrade !== null) this.connection.upgradeTransaction = null;
    this.upgrade?.request.reserveTask();
    fire(this, type, { bubbles, cancelable: false });
    if (this.writerPlace !== null) this.#afterListeners(() => this.connection.database.ended());
    if (this.upgrade !== null) this.upgrade.request.transaction = null;
    this.connection.left(this);
    this.ended?.();
  }
}

const none = new EventTarget();
const nothing = (): void => undefined;

/** What was taken away is somebody else's by now. */
function requireHeld(place: WriterPlace | null): void {
  if (place?.claim.isLost === true) throw lost();
}

export function lost(): DOMException {
  return domException('AbortError', 'The realm did not answer for so long that others took it for dead; what it held was taken away.');
}

function uncaught(): DOMException {
  return domException('AbortError', 'A listener of a request of the transaction threw an exception.');
}
