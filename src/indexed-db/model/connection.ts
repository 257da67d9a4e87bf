import type { Claim } from '../../disk/records/database-locks.ts';
import type { Schema } from '../../disk/records/record-database.ts';
import { fire } from '../events/dispatch.ts';
import { EventNode } from '../events/event-node.ts';
import type { OpenDatabase } from './open-database.ts';
import { storesOf, type Stores } from './store.ts';
import type { Transaction, Upgrade } from './transaction.ts';

/** https://w3c.github.io/IndexedDB/#connection-construct */
export class Connection extends EventNode {
  /** The interface object; whoever makes the connection sets it at once. */
  object: EventTarget = none;
  readonly database: OpenDatabase;
  /** Its claim to be one of those who have the database open. */
  claim: Claim | null = null;
  version: number;
  stores: Stores;
  isClosePending = false;
  isClosed = false;
  /** Those that have not ended. */
  readonly transactions = new Set<Transaction>();
  upgradeTransaction: Transaction | null = null;
  #closed: (() => void)[] = [];

  constructor(database: OpenDatabase, { version, stores }: Schema) {
    super();
    this.database = database;
    this.version = version;
    this.stores = storesOf(stores);
    database.connections.add(this);
  }

  get parent(): null {
    return null;
  }

  /** https://w3c.github.io/IndexedDB/#close-a-database-connection; it is closed when its transactions have ended. */
  close(): void {
    this.isClosePending = true;
    this.#closeIfIdle();
  }

  /** The same at once, against the program's will. */
  closeByForce(reason: DOMException): void {
    if (this.isClosed) return;
    this.isClosePending = true;
    for (const transaction of [...this.transactions]) transaction.abort(reason);
    void this.whenClosed().then(() => fire(this, 'close'));
    this.#closeIfIdle();
  }

  whenClosed(): Promise<void> {
    return this.isClosed ? Promise.resolve() : new Promise((resolve) => void this.#closed.push(resolve));
  }

  /** A transaction has ended. */
  left(transaction: Transaction): void {
    this.transactions.delete(transaction);
    if (this.isClosePending) this.#closeIfIdle();
  }

  /** https://w3c.github.io/IndexedDB/#abort-an-upgrade-transaction */
  revert({ before, versionBefore }: Upgrade): void {
    this.version = versionBefore;
    this.stores = before.restore();
  }

  #closeIfIdle(): void {
    if (this.isClosed || this.transactions.size > 0) return;
    this.isClosed = true;
    this.database.left(this);
    this.claim?.release();
    for (const resolve of this.#closed.splice(0)) resolve();
  }
}

const none = new EventTarget();
