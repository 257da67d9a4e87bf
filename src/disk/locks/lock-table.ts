import type { EntryKind, Locator } from '../locator.ts';

/**
 * How a handle locks a file. `exclusive` conflicts with every lock; each other class is shared among its own kind
 * and conflicts with the rest. https://fs.spec.whatwg.org/#file-entry-lock
 */
export type LockClass = 'exclusive' | 'read-only' | 'readwrite-unsafe' | 'siloed';

/** A lock on one file that lasts as long as the sync access handle or writable that took it. */
export interface FileLock {
  /** Ends the lock; harmless when called twice. */
  release(): void;
  /** True once the lock was taken away (its session was declared dead and fenced). */
  readonly lost: boolean;
}

/** What an operation does to names, for the journal's INTENT and for observers. */
export interface Intent {
  /**
   * `modify` replaces or changes the content of `source`. `empty` removes everything below the root. `hold` changes
   * nothing, and keeps others from it at `source` and below; no lock refuses it, for what holds one may go on.
   */
  readonly operation: 'create' | 'remove' | 'move' | 'modify' | 'empty' | 'hold';
  readonly kind: EntryKind;
  readonly source: Locator;
  /** Only for `move`. */
  readonly target?: Locator;
}

/** An operation that has ended and did change something; 'look at this locator again'. In journal order. */
export interface FileChange extends Intent {
  /** Random id of the session that made the change. */
  readonly session: number;
}

/** What an operation answers: whether it changed anything (DONE) or not (ABORTED), and its own result. */
export interface OperationResult<T> {
  readonly changed: boolean;
  readonly value: T;
}

/** Thrown (rejected) when an operation meets a lock that a handle holds. */
export class LockedError extends Error {
  readonly locator: Locator;
  constructor(locator: Locator) {
    super(`'/${locator.join('/')}' is locked`);
    this.name = 'LockedError';
    this.locator = locator;
  }
}

/**
 * The file locks of one bucket, as one realm sees them. The scope of a lock is the scope of the storage: all
 * processes and threads of the root.
 *
 * An operation on a file takes entry-exclusive on it; one on a directory (remove, move) takes tree-exclusive, which
 * conflicts with any lock on an ancestor, itself or a descendant; a move takes both its source and its target.
 * Operations wait for each other in journal order; they are refused at once by a lock that a handle holds.
 */
export interface FileLockTable {
  /**
   * Takes a lock for a handle: waits for operations under way on the file, then is granted, or null when another
   * handle's lock conflicts.
   */
  lockFile(locator: Locator, lockClass: LockClass): Promise<FileLock | null>;
  /**
   * Runs `body` while holding what `intent` needs, from before its first system call until after its last. Where
   * nothing conflicts, `body` starts synchronously, in the caller's turn. A body that throws or rejects counts as not changed
   * (ABORTED) and its error passes through; whoever finds the session dead resolves the intent by looking at the disk.
   *
   * `own`: a lock that the caller itself holds on the file (a writable that closes) does not refuse it.
   *
   * @throws LockedError when a handle's lock is in the way.
   */
  operate<T>(intent: Intent, body: () => OperationResult<T> | Promise<OperationResult<T>>, own?: FileLock): Promise<T>;
  /** Calls `listener` for each operation that changed something, by any session, from now on, exactly once and in order. */
  subscribe(listener: (change: FileChange) => void, onGap: () => void): () => void;
  /** Records a change of content that no operation covers (a sync access handle that was written to). */
  changed(locator: Locator): void;
  /** The epoch of the `files.<epoch>` directory under which paths are resolved now. */
  epoch(): number;
}

/** https://w3c.github.io/web-locks/#enumdef-lockmode */
export type WebLockMode = 'shared' | 'exclusive';

export interface WebLockInfo {
  readonly name: string;
  readonly mode: WebLockMode;
  readonly clientId: string;
}

/** Who holds and who waits, at one moment. */
export interface WebLockState {
  readonly held: readonly WebLockInfo[];
  readonly pending: readonly WebLockInfo[];
}

/** https://w3c.github.io/web-locks/#lock-concept: a lock that was granted. */
export interface HeldWebLock {
  release(): void;
  /** Called once when the lock is taken away: stolen, or its session fenced. */
  onLost: (() => void) | null;
}

export interface WebLockRequest {
  readonly name: string;
  readonly mode: WebLockMode;
  readonly clientId: string;
  readonly ifAvailable: boolean;
  readonly steal: boolean;
}

/** A request that waits its turn; `abort` decides against a grant in the journal: true when it came in time. */
export interface PendingWebLock {
  readonly granted: Promise<HeldWebLock | null>;
  /**
   * The lock, once this realm knows that it was granted, until it ends: for callers that cannot wait for a turn of
   * `granted`. What is granted at once is known when `request` returns.
   */
  readonly held: HeldWebLock | null;
  abort(): boolean;
}

/** The Web Locks of one bucket: the lock manager's queue and held locks. https://w3c.github.io/web-locks/#lock-managers */
export interface WebLockTable {
  /** Enqueues in journal order, synchronously. `granted` gives null for `ifAvailable` when the lock is taken. */
  request(request: WebLockRequest): PendingWebLock;
  /** Held and pending requests, in order. They are not copied: whoever gives them on does that. */
  query(): WebLockState;
  /** Releases and aborts everything of one client. */
  endClient(clientId: string): void;
}

/** One who holds or waits for a lock. */
export interface WebLockParty extends WebLockInfo {
  /** Whether this realm does. */
  readonly isOwn: boolean;
}

/** Web locks by one name, for realms that agree on more than the locks: who is there, and whom to tell. Appends nothing. */
export interface WebLockParties {
  /**
   * Whether another realm holds or waits for a lock of that name that conflicts with one of `mode`, by the journal as it
   * is now. One that was killed counts until somebody has waited for it. Costs a read of the news, and a step for each
   * of the name that does not conflict.
   */
  isWantedElsewhere(name: string, mode: WebLockMode): boolean;
  /** Who holds and who waits for it, in order, by the journal as it is now. */
  parties(name: string): { held: WebLockParty[]; pending: WebLockParty[] };
  /**
   * Calls `listener` when others have begun to hold or to wait for the name, or have ended to, once for all that one
   * look at the journal brings, in the call that looks; and now and then when nothing has happened. A realm looks whenever it asks or appends anything; by itself only
   * while it holds or waits for something: when its bell is rung, and once a second.
   *
   * @returns what ends that.
   */
  watch(name: string, listener: () => void): () => void;
  /** Has the other realms that hold or wait for the name look at the journal, now. A hint: it may be missed. */
  ring(name: string): void;
}
