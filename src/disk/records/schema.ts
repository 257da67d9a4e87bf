import type { IndexDefinition, KeyPath, Schema, StoreDefinition } from './record-database.ts';
import { RecordsDamagedError } from './records-error.ts';
import type { SqlConnection, SqlRow, SqlValue } from './sql-driver.ts';

/** Of the tables as they are described in docs/FORMAT.md; in the file's `user_version`. */
export const SCHEMA_VERSION = 1;

/** "Hfst", in the file's header. https://www.sqlite.org/fileformat.html#application_id */
export const APPLICATION_ID = 0x48667374;

export const EMPTY_SCHEMA: Schema = { version: 0, stores: [] };

const TABLES = `
CREATE TABLE meta(k TEXT PRIMARY KEY, v) WITHOUT ROWID;
CREATE TABLE stores(id INTEGER PRIMARY KEY, name TEXT NOT NULL, path TEXT NOT NULL, auto INTEGER NOT NULL, gen REAL NOT NULL);
CREATE TABLE indexes(id INTEGER PRIMARY KEY, store INTEGER NOT NULL, name TEXT NOT NULL, path TEXT NOT NULL, uniq INTEGER NOT NULL, multi INTEGER NOT NULL);
CREATE TABLE blobs(id INTEGER PRIMARY KEY, refs INTEGER NOT NULL);
INSERT INTO meta VALUES ('version', 0), ('schema', 0), ('ids', 1);
`;

/** Of a new and empty file, in a transaction. */
export function createTables(connection: SqlConnection, name: string): void {
  connection.exec(TABLES);
  connection.prepare("INSERT INTO meta VALUES ('name', ?)").run(JSON.stringify(name));
}

export function createStoreTable(connection: SqlConnection, id: number): void {
  connection.exec(`CREATE TABLE r${id}(id INTEGER PRIMARY KEY, k BLOB NOT NULL UNIQUE, x BLOB, b BLOB, v BLOB)`);
  // What has files is found without a look at all that has none.
  connection.exec(`CREATE INDEX b${id} ON r${id}(b) WHERE b IS NOT NULL`);
}

export function createIndexTable(connection: SqlConnection, id: number): void {
  connection.exec(`CREATE TABLE i${id}(k BLOB NOT NULL, p BLOB NOT NULL, r INTEGER NOT NULL, PRIMARY KEY(k, p)) WITHOUT ROWID`);
}

/** All of it as the connection sees it now. @throws RecordsDamagedError */
export function readSchema(connection: SqlConnection): Schema {
  const [version] = connection.prepare("SELECT v FROM meta WHERE k = 'version'").get() ?? [];
  const indexes = new Map<number, IndexDefinition[]>();
  for (const row of connection.prepare('SELECT store, id, name, path, uniq, multi FROM indexes ORDER BY id').all()) {
    const store = asNumber(row[0]);
    indexes.set(store, [...(indexes.get(store) ?? []), indexOf(row)]);
  }
  const rows = connection.prepare('SELECT id, name, path, auto FROM stores ORDER BY id').all();
  return { version: asNumber(version), stores: rows.map((row) => storeOf(row, indexes)) };
}

function storeOf(row: SqlRow, indexes: ReadonlyMap<number, readonly IndexDefinition[]>): StoreDefinition {
  const id = asNumber(row[0]);
  return { id, name: asName(row[1]), keyPath: asKeyPath(row[2]), autoIncrement: row[3] === 1, indexes: indexes.get(id) ?? [] };
}

function indexOf(row: SqlRow): IndexDefinition {
  return { id: asNumber(row[1]), name: asName(row[2]), keyPath: asKeyPath(row[3]) ?? damaged(), unique: row[4] === 1, multiEntry: row[5] === 1 };
}

function asNumber(value: SqlValue | undefined): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : damaged();
}

function asName(value: SqlValue | undefined): string {
  const name = fromJson(value);
  return typeof name === 'string' ? name : damaged();
}

function asKeyPath(value: SqlValue | undefined): KeyPath | null {
  const path = fromJson(value);
  if (path === null || typeof path === 'string') return path;
  return Array.isArray(path) && path.every((part): part is string => typeof part === 'string') ? path : damaged();
}

/** Texts are JSON, which has a form for lone surrogates. */
function fromJson(value: SqlValue | undefined): unknown {
  try {
    return JSON.parse(typeof value === 'string' ? value : damaged());
  } catch {
    return damaged();
  }
}

function damaged(): never {
  throw new RecordsDamagedError('The table of stores and indexes makes no sense.');
}
