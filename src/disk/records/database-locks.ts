/*
 * Who may do what with a database, among all processes and threads of the root. Names of databases are any strings.
 */

/** Somebody waits to be alone with a database: for a version, or null to delete it. */
export interface Wanted {
  readonly newVersion: number | null;
}

/** A claim: it lasts until it is released, or the realm ends. Releasing twice is harmless. */
export interface Claim {
  release(): void;
}

/** A place in the order of writers, taken when it was asked for. */
export interface WriterClaim extends Claim {
  /** Null: it is this one's turn already. */
  readonly granted: Promise<void> | null;
}

/** https://w3c.github.io/IndexedDB/#connection-queue and what else its transactions need of other processes. */
export interface DatabaseLocks {
  /** The database's connection queue: first come, first served. */
  queue(name: string): Promise<Claim>;
  /**
   * One more open connection; to be called by who has the queue. When somebody wants to be alone, `onWanted` is called,
   * once for each who does, and what it promises has been done (`versionchange` was fired at all connections of the
   * realm) before that one learns that it is blocked.
   */
  connect(name: string, onWanted: (wanted: Wanted) => Promise<void>): Claim;
  /**
   * Waits until no connection is open but `own`; to be called by who has the queue. Everybody else is told.
   * `onBlocked` is called once, when all have been told and some stay open.
   */
  alone(name: string, wanted: Wanted, onBlocked: () => void, own?: Claim): Promise<Claim>;
  /** A place in the order of writers; synchronously, so that the order is that of the calls. */
  write(name: string): WriterClaim;
  /**
   * What a snapshot has to wait for, so that it shows all that was asked for before: the writers that are there now.
   * Null, without an append: there are none.
   */
  writersBefore(name: string): Promise<void> | null;
  /** For databases without snapshots: a place in the order of writers that readers share. */
  read(name: string): WriterClaim;
}
