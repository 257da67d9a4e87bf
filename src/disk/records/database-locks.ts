/*
 * Who may do what with a database, among all processes and threads of the root. Names of databases are any strings.
 *
 * Whatever appends to the journal throws, or rejects with, HoldfastError where the disk refuses.
 */

/** Somebody waits to be alone with a database: for a version, or null to delete it. */
export interface Wanted {
  readonly newVersion: number | null;
}

/** A claim: it lasts until it is released or taken away, or the realm ends. Releasing twice is harmless. */
export interface Claim {
  release(): void;
  /**
   * Whether it was taken away, by the journal as it is now: the realm did not answer for so long that others took it for
   * dead, or the bucket was removed or replaced. What relied on it must not go on. Costs a read of the news.
   */
  readonly isLost: boolean;
  /** Called once when that is found, in a microtask of nobody's context; also if it is set after that. */
  onLost: (() => void) | null;
}

/** A place in the order of writers, taken when it was asked for. */
export interface WriterClaim extends Claim {
  /** Null: it is this one's turn already. Rejects when it was taken away before; never settles once it was released. */
  readonly granted: Promise<void> | null;
  /**
   * Whether one that is held has to be released, and asked for anew, by who would write once more: somebody waits for its
   * turn, in this realm or another, or it was taken away. Costs a read of the news.
   */
  readonly isWanted: boolean;
}

/** https://w3c.github.io/IndexedDB/#connection-queue and what else its transactions need of other processes. */
export interface DatabaseLocks {
  /** The database's connection queue: first come, first served. */
  queue(name: string): Promise<Claim>;
  /** Whether anybody who lives has the queue of any database, or waits for one. */
  isAnyQueued(): boolean;
  /**
   * One more open connection; to be called by who has the queue. When somebody wants to be alone, `onWanted` is called,
   * once for each who does and in no caller's turn, and what it promises has been done (`versionchange` was fired), for
   * all connections of the realm, before that one learns that it is blocked. A connection that is released needs not do it.
   */
  connect(name: string, onWanted: (wanted: Wanted) => Promise<void>): Claim;
  /**
   * Waits until no connection is open but `own`; to be called by who has the queue. Everybody else is told, those of this
   * realm too. `onBlocked` is called at most once, when all have been told and some stay open. Connections may be opened
   * before it is released.
   */
  alone(name: string, wanted: Wanted, onBlocked: () => void, own?: Claim): Promise<Claim>;
  /** Whether anybody has a connection, in this realm or another that lives; whoever has the queue can rely on it. */
  isOpen(name: string): boolean;
  /** A place in the order of writers; synchronously, so that the order is that of the calls. */
  write(name: string): WriterClaim;
  /**
   * What a snapshot has to wait for, so that it shows all that was asked for before: the writers of other realms that are
   * there now. Null, without an append: there are none. To be called when the transaction is created, as `write`: else
   * it could wait for one that waits for it.
   */
  writersBefore(name: string): Promise<void> | null;
  /** For databases without snapshots: a place in the order of writers that readers share. */
  read(name: string): WriterClaim;
}

/** Who keeps files of databases, so that whoever could delete them knows. */
export interface BlobHolds {
  /** Keeps a file until the claim is released or the realm ends. Any realm may, as often as it likes. */
  hold(name: string, file: number): Claim;
  /** Whether any realm that lives keeps it, this one included; without an append, but where one is found to have ended. */
  isHeld(name: string, file: number): boolean;
}
