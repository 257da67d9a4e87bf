import { setTimeout, uptime, type Timer } from '../../runtime/timers.ts';
import type { BlobDirectory } from './blob-directory.ts';
import { SqlReadTransaction } from './read-transaction.ts';
import type { SqlSession } from './sql-session.ts';

/** How long a connection that nobody reads through stays open, in milliseconds. */
const IDLE_MS = 30_000;

/** A state of the database that some transactions read. */
interface Snapshot {
  readonly session: SqlSession;
  readers: number;
  /** The state by its number; null: nobody has asked for it. */
  readonly state: string | null;
  /** How often the schema was forgotten before. */
  readonly upgrades: number;
}

interface Idle {
  readonly session: SqlSession;
  readonly since: number;
}

/**
 * Connections that read. Invariants
 * - One has a transaction open exactly as long as somebody reads through it.
 * - Those who read the same state share one connection. To know a state costs as much as to take a snapshot of it, so it
 *   is asked for only when a second one reads at the same time.
 */
export class Readers {
  readonly #open: () => SqlSession;
  readonly #stateNow: () => string;
  readonly #blobs: BlobDirectory;
  /** Whether all who read at the same time read the same state. */
  readonly #areAlike: boolean;
  #latest: Snapshot | null = null;
  #idle: Idle[] = [];
  #timer: Timer | null = null;
  #readers = 0;
  #upgrades = 0;
  #isClosed = false;

  /** `stateNow` gives another text after every commit of anybody; null: nobody commits while somebody reads. */
  constructor(open: () => SqlSession, stateNow: (() => string) | null, blobs: BlobDirectory) {
    this.#open = open;
    this.#areAlike = stateNow === null;
    this.#stateNow = stateNow ?? (() => '');
    this.#blobs = blobs;
  }

  get isReading(): boolean {
    return this.#readers > 0;
  }

  /** `isSchemaKept`: nobody upgrades the database but this realm, which then calls {@link forgetSchema}. */
  read(isSchemaKept: boolean): SqlReadTransaction {
    const snapshot = this.#snapshot(isSchemaKept);
    snapshot.readers += 1;
    this.#readers += 1;
    return new SqlReadTransaction(snapshot.session, this.#blobs, () => this.#leave(snapshot));
  }

  /** To be called when this realm upgrades the database, or others may have. */
  forgetSchema(): void {
    this.#upgrades++;
    for (const { session } of this.#idle) session.forgetSchema();
  }

  #snapshot(isSchemaKept: boolean): Snapshot {
    if (this.#latest === null) return (this.#latest = this.#take(this.#areAlike ? this.#stateNow() : null, isSchemaKept));
    const state = this.#stateNow();
    if (this.#latest.state === state) return this.#latest;
    return (this.#latest = this.#take(state, isSchemaKept));
  }

  /** The state was asked for before the snapshot is taken: it is of that state or a later one. */
  #take(state: string | null, isSchemaKept: boolean): Snapshot {
    const session = this.#idle.pop()?.session ?? this.#open();
    try {
      session.begin(isSchemaKept);
    } catch (error) {
      session.close();
      throw error;
    }
    return { session, readers: 0, state, upgrades: this.#upgrades };
  }

  #leave(snapshot: Snapshot): void {
    snapshot.readers -= 1;
    this.#readers -= 1;
    if (snapshot.readers > 0) return;
    if (this.#latest === snapshot) this.#latest = null;
    snapshot.session.rollback();
    if (snapshot.upgrades !== this.#upgrades) snapshot.session.forgetSchema();
    if (this.#isClosed) return snapshot.session.close();
    this.#idle.push({ session: snapshot.session, since: uptime() });
    this.#timer ??= setTimeout(() => this.#closeIdle(), IDLE_MS).unref();
  }

  #closeIdle(): void {
    this.#timer = null;
    const now = uptime();
    const stay = this.#idle.filter(({ since }) => now - since < IDLE_MS);
    for (const { session } of this.#idle) if (!stay.some((idle) => idle.session === session)) session.close();
    this.#idle = stay;
    if (stay.length > 0) this.#timer = setTimeout(() => this.#closeIdle(), IDLE_MS).unref();
  }

  /** Closes those that nobody reads through. */
  suspend(): void {
    for (const { session } of this.#idle.splice(0)) session.close();
  }

  /** Those that are read through are closed when that ends. */
  close(): void {
    this.#isClosed = true;
    this.suspend();
  }
}
