import { EMPTY_SCHEMA, readSchema } from './schema.ts';
import type { Schema, StoreDefinition } from './record-database.ts';
import type { SqlConnection, SqlStatement } from './sql-driver.ts';
import { TableStatements } from './statements.ts';

/** What every transaction needs. */
interface Connected {
  readonly connection: SqlConnection;
  readonly begin: SqlStatement;
  readonly beginWriting: SqlStatement;
  readonly commit: SqlStatement;
  readonly rollback: SqlStatement;
  readonly schemaNumber: SqlStatement;
  readonly dataVersion: SqlStatement;
}

function prepared(connection: SqlConnection): Connected {
  return {
    connection,
    begin: connection.prepare('BEGIN'),
    beginWriting: connection.prepare('BEGIN IMMEDIATE'),
    commit: connection.prepare('COMMIT'),
    rollback: connection.prepare('ROLLBACK'),
    dataVersion: connection.prepare('PRAGMA data_version'),
    schemaNumber: connection.prepare("SELECT v FROM meta WHERE k = 'schema'"),
  };
}

/**
 * One connection to a database, with what it has prepared and what it knows. Invariants
 * - At most one transaction is open, begun by `begin` and ended by `commit` or `rollback`.
 * - `schema` is that of the open transaction: what was read before holds as long as its number in `meta` is the same.
 * - Between transactions it may be suspended; whatever is asked of it then connects anew, and knows nothing.
 */
export class SqlSession {
  readonly #connect: () => SqlConnection;
  #connected: Connected | null;
  readonly #tables = new Map<number, TableStatements>();
  readonly #others = new Map<string, SqlStatement>();
  #schema: Schema = EMPTY_SCHEMA;
  #stores = new Map<number, StoreDefinition>();
  /** Of `#schema`; -1: none was read. */
  #number = -1;
  #commitsOfOthers = -1;

  /** @throws what `connect` throws */
  constructor(connect: () => SqlConnection) {
    this.#connect = connect;
    this.#connected = prepared(connect());
  }

  get #here(): Connected {
    return (this.#connected ??= prepared(this.#connect()));
  }

  get connection(): SqlConnection {
    return this.#here.connection;
  }

  get isConnected(): boolean {
    return this.#connected !== null;
  }

  get schema(): Schema {
    return this.#schema;
  }

  #setSchema(schema: Schema): void {
    this.#schema = schema;
    this.#stores = new Map(schema.stores.map((store) => [store.id, store]));
  }

  /**
   * Sees the database as it is when it reads first, until it ends.
   *
   * @param isSchemaKept nobody can have changed the schema since this session has read it; {@link forgetSchema} says so
   */
  begin(isSchemaKept: boolean): void {
    this.#here.begin.perform();
    if (!isSchemaKept || this.#number < 0) this.#look();
  }

  /** It may be another one when it is needed next. */
  forgetSchema(): void {
    this.#number = -1;
  }

  /**
   * @returns whether anybody else has committed since the last time
   * @throws RecordsBusyError when somebody else writes
   */
  beginWriting(): boolean {
    this.#here.beginWriting.perform();
    const commits = this.#orRollback(() => this.commitsOfOthers());
    if (commits === this.#commitsOfOthers && this.#number >= 0) return false;
    this.#look();
    this.#commitsOfOthers = commits;
    return true;
  }

  /** A number that changes with the commits of all other connections. It costs little while a transaction is open. */
  commitsOfOthers(): number {
    return this.#here.dataVersion.get()?.[0] as number;
  }

  /** Whether any have since this session began to write, of which it was not told. */
  haveOthersCommitted(): boolean {
    return this.commitsOfOthers() !== this.#commitsOfOthers;
  }

  /** The first read, which is what takes the snapshot. */
  #look(): void {
    this.#orRollback(() => {
      const number = this.#here.schemaNumber.get()?.[0] as number;
      if (number === this.#number) return;
      this.#tables.clear();
      this.#number = -1;
      this.#setSchema(readSchema(this.connection));
      this.#number = number;
    });
  }

  /** What begins a transaction leaves none behind when it fails. */
  #orRollback<T>(body: () => T): T {
    try {
      return body();
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  /** An upgrade changes it; in the file too, under another number, so that the next transaction looks again. */
  changeSchema(schema: Schema): void {
    this.#setSchema(schema);
    this.#number = -1;
  }

  /** One of the schema's stores. */
  store(id: number): StoreDefinition {
    const store = this.#stores.get(id);
    if (store === undefined) throw new Error(`There is no store ${id}.`);
    return store;
  }

  commit(): void {
    this.#here.commit.perform();
  }

  /** Never throws: SQLite ends a transaction by itself after some errors. */
  rollback(): void {
    try {
      this.#connected?.rollback.perform();
    } catch {
      // There is none any more.
    }
  }

  /** The statements of a store, or of an index: ids of both come from one counter. */
  table(store: number, index: number | null): TableStatements {
    const id = index ?? store;
    let table = this.#tables.get(id);
    if (table === undefined) this.#tables.set(id, (table = new TableStatements(this.connection, store, index)));
    return table;
  }

  /** With what is prepared for it; `id` is that of the store or index. */
  dropTable(id: number, name: string): void {
    this.#tables.delete(id);
    this.connection.exec(`DROP TABLE ${name}`);
  }

  /** The statement of a text that names its tables. */
  by(sql: string): SqlStatement {
    let statement = this.#others.get(sql);
    if (statement === undefined) this.#others.set(sql, (statement = this.connection.prepare(sql)));
    return statement;
  }

  /** Closes the connection until it is needed again. No transaction is open. */
  suspend(): void {
    this.close();
    this.#connected = null;
    this.#tables.clear();
    this.#others.clear();
    this.#number = -1;
    this.#commitsOfOthers = -1;
  }

  close(): void {
    this.#connected?.connection.close();
  }
}
