import { HoldfastError } from '../../../runtime/holdfast-error.ts';
import { setImmediate } from '../../../runtime/timers.ts';
import { OpenJournals, type Suspendable } from '../../journal/open-journals.ts';
import { sessionLost } from '../../locks/holdings.ts';
import { LockTable, type LockTableOptions } from '../../locks/table.ts';
import type { BucketPlace } from '../../place.ts';
import { sweepDrafts } from '../../root/late-part.ts';
import type { BlobHolds, Claim, DatabaseLocks, Wanted, WriterClaim } from '../database-locks.ts';
import { LockClient } from './lock-client.ts';
import { isFor, lockName } from './lock-names.ts';
import { locksPlace, requirePlain } from './locks-place.ts';
import { Presence } from './presence.ts';
import type { Turn } from './turn.ts';

export type BucketLocksOptions = Pick<
  LockTableOptions,
  'durability' | 'shared' | 'detach' | 'onCompaction' | 'leaseMs' | 'identity' | 'probe' | 'log'
>;

/** Who waits for a database looks every 50 ms for so long, in milliseconds. */
const KEEN_MS = 5000;

/** Buckets of this realm whose databases are in use; each has a session in its journal. */
const running = new OpenJournals(128);

/**
 * The locks of one bucket's databases, as one realm sees them: a lock table of their own, in `indexeddb/`. It starts with
 * its first use, ends when it is idle and others need its place, and starts again.
 */
export class BucketLocks implements DatabaseLocks, BlobHolds, Suspendable {
  used = false;
  readonly #place: BucketPlace;
  readonly #options: BucketLocksOptions;
  readonly #detach: <T>(body: () => T) => T;
  readonly #presences = new Map<string, Presence>();
  /** The queues that somebody in this realm has, or has lost and not noticed. */
  readonly #queues = new Map<string, Set<Turn>>();
  #table: LockTable | undefined;
  #client: LockClient | undefined;
  #isClosed = false;

  /** Does no I/O. */
  constructor(bucket: BucketPlace, options: BucketLocksOptions = {}) {
    this.#place = locksPlace(bucket, options.durability ?? 'relaxed');
    this.#options = options;
    this.#detach = options.detach ?? ((body) => body());
  }

  /** Whether this realm has a database open, holds a file or waits for anything. */
  get busy(): boolean {
    return this.#table?.isIdle === false;
  }

  async queue(name: string): Promise<Claim> {
    const turn = this.#locks.request(lockName('q', name), 'exclusive', { dropped: () => this.#leaveQueue(name, turn) });
    await turn.granted;
    this.#queues.set(name, (this.#queues.get(name) ?? new Set()).add(turn));
    return turn;
  }

  isAnyQueued(): boolean {
    return this.#locks.names().some((lock) => isFor('q', lock));
  }

  connect(name: string, onWanted: (wanted: Wanted) => Promise<void>): Claim {
    this.#requireQueue(name);
    return this.#inQueue(name, this.#within(name, (presence) => presence.connect(onWanted)));
  }

  async alone(name: string, wanted: Wanted, onBlocked: () => void, own?: Claim): Promise<Claim> {
    this.#requireQueue(name);
    return this.#inQueue(name, await this.#within(name, (presence) => presence.alone(wanted, onBlocked, own)));
  }

  write(name: string): WriterClaim {
    return this.#locks.request(lockName('w', name), 'exclusive');
  }

  writersBefore(name: string): Promise<void> | null {
    const lock = lockName('w', name);
    return this.#locks.isWantedElsewhere(lock, 'shared') ? this.#pass(lock) : null;
  }

  read(name: string): WriterClaim {
    return this.#locks.request(lockName('w', name), 'shared');
  }

  hold(name: string, file: number): Claim {
    return this.#locks.request(lockName(`b${file}`, name), 'shared');
  }

  isHeld(name: string, file: number): boolean {
    return this.#isHeld(lockName(`b${file}`, name));
  }

  isOpen(name: string): boolean {
    return this.#isHeld(lockName('c', name));
  }

  #isHeld(lock: string): boolean {
    const client = this.#locks;
    return client.parties(lock).held.some(({ isOwn, clientId }) => isOwn || !client.isDead(clientId));
  }

  suspend(): void {
    // It is idle, so this leaves at once; and should the disk refuse even that, its session ends with this thread.
    this.#end().catch(() => undefined);
  }

  /** Refuses what is asked for from now on, rejects what waits, releases everything. */
  async close(): Promise<void> {
    this.#isClosed = true;
    running.delete(this);
    await this.#end();
  }

  get #locks(): LockClient {
    this.used = true;
    return this.#client ?? this.#start();
  }

  /** Resolves once all who stand before this realm have had their turns. */
  #pass(lock: string): Promise<void> {
    const turn = this.#locks.request(lock, 'shared');
    const passed = (turn.granted ?? Promise.resolve()).then(() => turn.release());
    passed.catch(() => undefined);
    return passed;
  }

  /** Once more when it is there: the queue may have been lost in between, and the session be another one. */
  #inQueue(name: string, claim: Claim): Claim {
    try {
      this.#requireQueue(name);
      return claim;
    } catch (error) {
      claim.release();
      throw error;
    }
  }

  /** Nobody in this realm gets what needs the queue while somebody acts as if he had it and has lost it. */
  #requireQueue(name: string): void {
    for (const turn of this.#queues.get(name) ?? []) if (turn.isLost) throw sessionLost();
  }

  #leaveQueue(name: string, turn: Turn): void {
    const turns = this.#queues.get(name);
    turns?.delete(turn);
    if (turns?.size === 0) this.#queues.delete(name);
  }

  #within<T>(name: string, body: (presence: Presence) => T): T {
    const presence = this.#presences.get(name) ?? this.#enter(name);
    try {
      return body(presence);
    } finally {
      if (presence.isEmpty) this.#dropPresence(name, presence);
    }
  }

  #enter(name: string): Presence {
    const presence = new Presence(this.#locks, name, () => this.#dropPresence(name, presence));
    this.#presences.set(name, presence);
    return presence;
  }

  #dropPresence(name: string, presence: Presence): void {
    if (this.#presences.get(name) === presence) this.#presences.delete(name);
  }

  #start(): LockClient {
    if (this.#isClosed) throw new HoldfastError('closed', `The host of ${this.#place.path} was closed.`);
    requirePlain(this.#place.path);
    const table = new LockTable(this.#place, { ...this.#options, hasFiles: false, keenMs: KEEN_MS });
    this.#table = table;
    this.#client = new LockClient(table, this.#detach);
    running.add(this);
    this.#detach(() => setImmediate(() => this.#tidy(table)).unref());
    return this.#client;
  }

  /** Clears away what killed sessions have left. */
  #tidy(table: LockTable): void {
    try {
      if (table !== this.#table) return;
      table.sweep();
      sweepDrafts(this.#place.path);
    } catch {
      // Housekeeping: on a read-only disk it fails without harm, and the next start tries again.
    }
  }

  async #end(): Promise<void> {
    const table = this.#table;
    this.#table = this.#client = undefined;
    this.#presences.clear();
    this.#queues.clear();
    await table?.close();
  }
}
