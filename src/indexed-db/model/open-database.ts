import type { DatabaseLocks } from '../../disk/records/database-locks.ts';
import type { RecordDatabase, Schema } from '../../disk/records/record-database.ts';
import type { PlatformObjects } from '../../disk/values/platform-objects.ts';
import { queueTask } from '../../runtime/tasks.ts';
import { asWebError } from '../errors.ts';
import type { Connection } from './connection.ts';
import { StoreQueue } from './store-queue.ts';
import { lost, type Transaction } from './transaction.ts';
import { WriterPlaces, type WriterPlace } from './writer-places.ts';

/** A database that this realm has open, for all its connections. https://w3c.github.io/IndexedDB/#database-construct */
export class OpenDatabase {
  readonly records: RecordDatabase;
  /** Handles and the like in values. */
  readonly platform: PlatformObjects;
  readonly connections = new Set<Connection>();
  readonly #locks: DatabaseLocks;
  readonly #places: WriterPlaces;
  readonly #closed: () => void;
  readonly #queues = new Map<number, StoreQueue>();
  #visitors = 0;
  /** As it was when it was read, or left by an upgrade of this realm. */
  #schema: Schema | null = null;

  /** `closed` is called once the last connection is. */
  constructor(records: RecordDatabase, locks: DatabaseLocks, platform: PlatformObjects, closed: () => void) {
    this.records = records;
    this.platform = platform;
    this.#locks = locks;
    this.#places = new WriterPlaces(locks, records.name, () => records.endWriting());
    this.#closed = closed;
  }

  get name(): string {
    return this.records.name;
  }

  /** A connection is no more. */
  left(connection: Connection): void {
    this.connections.delete(connection);
    this.#closeIfUnused();
  }

  /** As it is: upgrades are alone, so nobody's has changed it while this realm has a connection. Null: it has to be read. */
  get schema(): Schema | null {
    return [...this.connections].some(({ claim }) => claim?.isLost === false) ? this.#schema : null;
  }

  /** An upgrade of this realm was committed. */
  upgraded(schema: Schema): void {
    this.#schema = schema;
  }

  /** Shows the schema. Meanwhile the database is not closed; after that it is, unless somebody uses it. */
  async visit<T>(show: (schema: Schema) => T): Promise<T> {
    this.#visitors++;
    try {
      return show((this.#schema = this.schema ?? (await this.records.readSchema())));
    } finally {
      this.#visitors--;
      this.#closeIfUnused();
    }
  }

  #closeIfUnused(): void {
    if (this.connections.size > 0 || this.#visitors > 0) return;
    this.#closed();
    this.records.close();
  }

  /**
   * Gives a new transaction its place among those of this realm, by scope, and among the writers of all realms; it starts
   * when it has nothing to wait for. Everything is asked for now, so that all wait for what was there before them, and
   * never for each other. https://w3c.github.io/IndexedDB/#transaction-scheduling
   */
  admit(transaction: Transaction): void {
    try {
      this.#enter(transaction);
      transaction.startIfPossible();
    } catch (error) {
      // Who makes it is told as of any other failure, later; until then it takes requests, and never starts.
      transaction.block();
      queueTask(() => transaction.abort(asWebError(error, 'start the transaction')));
    }
  }

  #enter(transaction: Transaction): void {
    const place = this.#placeOf(transaction);
    const queues = transaction.scope.map((store) => this.#queueOf(store.id));
    for (const queue of queues) {
      if (!queue.enter(transaction)) transaction.block();
    }
    transaction.leave = () => {
      for (const queue of queues) queue.leave(transaction);
      if (place !== null) this.#places.leave(place.claim, transaction.hasWritten);
    };
  }

  /** A transaction has ended, and was told so: nothing that is made from now on is its successor. */
  ended(): void {
    this.#places.giveBack();
  }

  /** The order among processes. Null: it needs no place in it. */
  #placeOf(transaction: Transaction): WriterPlace | null {
    if (transaction.isReadOnly && this.records.hasSnapshots) {
      this.#waitFor(transaction, this.#locks.writersBefore(this.name));
      return null;
    }
    const place = transaction.isReadOnly ? this.#places.read() : this.#places.write();
    transaction.writerPlace = place;
    place.claim.onLost = () => transaction.abort(lost());
    this.#waitFor(transaction, place.turn);
    return place;
  }

  #waitFor(transaction: Transaction, turn: Promise<void> | null): void {
    if (turn === null) return;
    transaction.block();
    turn.then(
      () => transaction.unblock(),
      (error: unknown) => transaction.abort(asWebError(error, 'start the transaction')),
    );
  }

  #queueOf(store: number): StoreQueue {
    const known = this.#queues.get(store);
    if (known !== undefined) return known;
    const made = new StoreQueue();
    this.#queues.set(store, made);
    return made;
  }
}
