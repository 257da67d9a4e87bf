/*
 * What is asked of a SQLite library. Numbers are doubles or integers below 2^53; bytes that are read are the caller's own,
 * and none that are written are empty, which one runtime takes for NULL.
 */

export type SqlValue = null | number | string | Uint8Array;

/** The columns of a row, in the order of the statement. */
export type SqlRow = readonly SqlValue[];

/** A prepared statement; it is at no row between two calls. */
export interface SqlStatement {
  /** @returns how many rows were changed */
  run(...parameters: SqlValue[]): number;
  /** The same where nobody asks what it changed: cheaper. `lastRow` stays as it was. */
  perform(...parameters: SqlValue[]): void;
  /** The first row. */
  get(...parameters: SqlValue[]): SqlRow | undefined;
  all(...parameters: SqlValue[]): readonly SqlRow[];
}

export interface SqlConnection {
  exec(sql: string): void;
  prepare(sql: string): SqlStatement;
  /** The row that the last `run` inserted, if it did. */
  readonly lastRow: number;
  /** Whether a few bytes come sooner as hexadecimal text than as the Uint8Array that the library makes. */
  readonly hasDearBytes: boolean;
  /** What its statements hold goes too. Never throws. */
  close(): void;
}

/** An error of SQLite as one of ours; `code` is its primary result code. https://www.sqlite.org/rescode.html */
export type SqlFailure = (code: number, cause: unknown) => Error;

/** `new`: the file may be created. `read-only`: nothing of the database may be changed. */
export type OpenMode = 'new' | 'existing' | 'read-only';

export interface SqlDriver {
  readonly name: DriverName;
  /** Whether databases have a write-ahead log, and so snapshots. */
  readonly hasSnapshots: boolean;
  /**
   * @param failure makes every error of the connection and its statements
   */
  open(path: string, mode: OpenMode, failure: SqlFailure): SqlConnection;
}

/** Which driver a database has is fixed when it is made, because their locks do not see each other. */
export type DriverName = 'built-in' | 'wasm';

/** https://www.sqlite.org/rescode.html */
export const sqlCodes = { busy: 5, locked: 6, readOnly: 8, ioError: 10, corrupt: 11, full: 13, cannotOpen: 14, tooBig: 18, notADatabase: 26 } as const;
