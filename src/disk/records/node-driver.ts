import { areArrayBuffersDear } from '../../runtime/array-buffers.ts';
import { errorMessage, isError } from '../../runtime/errors.ts';
import { sqlCodes } from './sql-driver.ts';
import type { OpenMode, SqlConnection, SqlDriver, SqlFailure, SqlRow, SqlStatement, SqlValue } from './sql-driver.ts';

/*
 * https://nodejs.org/api/sqlite.html, of Node from 22.13 on and of Deno. The types that this project is checked against
 * are those of Node 20, which has none of this.
 */

interface Statement {
  run(...parameters: readonly SqlValue[]): { readonly changes: number; readonly lastInsertRowid: number };
  get(...parameters: readonly SqlValue[]): Row | undefined;
  all(...parameters: readonly SqlValue[]): Row[];
  /** From 22.16 on. */
  setReturnArrays?(enabled: boolean): void;
}

type Row = SqlRow | Readonly<Record<string, SqlValue>>;

interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

export interface NodeSqlite {
  readonly DatabaseSync: new (path: string, options: object) => Database;
}

export function nodeDriver(sqlite: NodeSqlite): SqlDriver {
  return {
    name: 'built-in',
    hasSnapshots: true,
    open: (path, mode, failure) => new Connection(sqlite, path, mode, failure),
  };
}

/** What SQLite says, where Deno does not give its code. */
const messages: Readonly<Record<string, number>> = {
  'database is locked': sqlCodes.busy,
  'disk I/O error': sqlCodes.ioError,
  'database disk image is malformed': sqlCodes.corrupt,
  'database or disk is full': sqlCodes.full,
  'unable to open database file': sqlCodes.cannotOpen,
  'file is not a database': sqlCodes.notADatabase,
};

function resultCode(error: unknown): number {
  const code: unknown = isError(error) ? Reflect.get(error, 'errcode') : undefined;
  if (typeof code === 'number') return code & 0xff;
  const message = errorMessage(error);
  return messages[Object.keys(messages).find((start) => message.startsWith(start)) ?? ''] ?? 0;
}

class Connection implements SqlConnection {
  readonly #database: Database;
  readonly #failure: (cause: unknown) => Error;
  lastRow = 0;
  readonly hasDearBytes = areArrayBuffersDear;

  constructor(sqlite: NodeSqlite, path: string, mode: OpenMode, failure: SqlFailure) {
    this.#failure = (cause) => failure(resultCode(cause), cause);
    try {
      this.#database = new sqlite.DatabaseSync(path, { enableForeignKeyConstraints: false, timeout: 0, readOnly: mode === 'read-only' });
    } catch (error) {
      throw this.#failure(error);
    }
  }

  exec(sql: string): void {
    try {
      this.#database.exec(sql);
    } catch (error) {
      throw this.#failure(error);
    }
  }

  prepare(sql: string): SqlStatement {
    try {
      const statement = this.#database.prepare(sql);
      statement.setReturnArrays?.(true);
      return new Prepared(this, statement, this.#failure);
    } catch (error) {
      throw this.#failure(error);
    }
  }

  close(): void {
    try {
      this.#database.close();
    } catch {
      // It is closed already.
    }
  }
}

function valuesOf(row: Row): SqlRow {
  return Array.isArray(row) ? (row as SqlRow) : Object.values(row as Readonly<Record<string, SqlValue>>);
}

class Prepared implements SqlStatement {
  readonly #connection: Connection;
  readonly #statement: Statement;
  readonly #failure: (cause: unknown) => Error;
  readonly #hasArrays: boolean;

  constructor(connection: Connection, statement: Statement, failure: (cause: unknown) => Error) {
    this.#connection = connection;
    this.#statement = statement;
    this.#failure = failure;
    this.#hasArrays = statement.setReturnArrays !== undefined;
  }

  run(...parameters: SqlValue[]): number {
    try {
      const { changes, lastInsertRowid } = this.#statement.run(...parameters);
      this.#connection.lastRow = lastInsertRowid;
      return changes;
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /** By `get`, which makes no account of changes. */
  perform(...parameters: SqlValue[]): void {
    try {
      this.#statement.get(...parameters);
    } catch (error) {
      throw this.#failure(error);
    }
  }

  get(...parameters: SqlValue[]): SqlRow | undefined {
    try {
      const row = this.#statement.get(...parameters);
      return this.#hasArrays ? (row as SqlRow | undefined) : row && valuesOf(row);
    } catch (error) {
      throw this.#failure(error);
    }
  }

  all(...parameters: SqlValue[]): readonly SqlRow[] {
    try {
      const rows = this.#statement.all(...parameters);
      return this.#hasArrays ? (rows as SqlRow[]) : rows.map(valuesOf);
    } catch (error) {
      throw this.#failure(error);
    }
  }
}
