import { isError } from '../../runtime/errors.ts';
import type { OpenMode, SqlConnection, SqlDriver, SqlFailure, SqlRow, SqlStatement, SqlValue } from './sql-driver.ts';

/* https://bun.com/docs/api/sqlite */

interface Statement {
  run(...parameters: readonly SqlValue[]): { readonly changes: number; readonly lastInsertRowid: number };
  values(...parameters: readonly SqlValue[]): SqlRow[];
  finalize(): void;
}

interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(throwOnError?: boolean): void;
}

export interface BunSqlite {
  readonly Database: new (path: string, options: { readonly?: boolean; readwrite?: boolean; create?: boolean }) => Database;
}

export function bunDriver(sqlite: BunSqlite): SqlDriver {
  return {
    name: 'built-in',
    hasSnapshots: true,
    open: (path, mode, failure) => new Connection(sqlite, path, mode, failure),
  };
}

function resultCode(error: unknown): number {
  const code: unknown = isError(error) ? Reflect.get(error, 'errno') : undefined;
  return typeof code === 'number' ? code & 0xff : 0;
}

class Connection implements SqlConnection {
  readonly #database: Database;
  readonly #call: Calling;
  /** As long as one is left, SQLite keeps the file open. */
  readonly #statements: Statement[] = [];
  lastRow = 0;
  readonly hasDearBytes = false;

  constructor(sqlite: BunSqlite, path: string, mode: OpenMode, failure: SqlFailure) {
    this.#call = (work) => {
      try {
        return work();
      } catch (error) {
        throw failure(resultCode(error), error);
      }
    };
    this.#database = this.#call(() => new sqlite.Database(path, mode === 'read-only' ? { readonly: true } : { readwrite: true, create: mode === 'new' }));
  }

  exec(sql: string): void {
    this.#call(() => this.#database.exec(sql));
  }

  prepare(sql: string): SqlStatement {
    const statement = this.#call(() => this.#database.prepare(sql));
    this.#statements.push(statement);
    return {
      run: (...parameters) => {
        const { changes, lastInsertRowid } = this.#call(() => statement.run(...parameters));
        this.lastRow = lastInsertRowid;
        return changes;
      },
      perform: (...parameters) => void this.#call(() => statement.run(...parameters)),
      get: (...parameters) => this.#call(() => statement.values(...parameters))[0],
      all: (...parameters) => this.#call(() => statement.values(...parameters)),
    };
  }

  close(): void {
    for (const statement of this.#statements.splice(0)) statement.finalize();
    this.#database.close();
  }
}

type Calling = <T>(work: () => T) => T;
