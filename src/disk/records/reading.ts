import { edgesOf, isForward, isUnique, onlyKey } from './bounds.ts';
import type { EncodedKey } from './key.ts';
import { fromHexadecimal } from './hexadecimal.ts';
import type { Query, StoredRecord, StoredValue } from './record-database.ts';
import { NO_FILES, readFiles, type ValueFile } from './record-bytes.ts';
import type { SqlRow } from './sql-driver.ts';
import type { SqlSession } from './sql-session.ts';
import { columns, parametersOf, type ScanShape } from './statements.ts';

/** What is returned of a value that lies in a file until it is loaded. */
export class FiledValue implements StoredValue {
  readonly bytes = new Uint8Array(0);
  readonly blobs: readonly number[];
  readonly file: ValueFile;

  constructor(file: ValueFile, blobs: readonly number[]) {
    this.file = file;
    this.blobs = blobs;
  }
}

export function shapeOf(query: Query): ScanShape {
  return { isForward: isForward(query), isUnique: query.index !== null && isUnique(query), columns: query.values ? columns.values : columns.keys };
}

/** The first record of a query. */
export function readFirst(session: SqlSession, query: Query): StoredRecord | undefined {
  const table = session.table(query.store, query.index);
  const only = onlyKey(query);
  if (only === null || !isPlain(query)) {
    const [row] = rowsOf(session, query, 1);
    return row && recordOf(row, query);
  }
  const row = table.atKey(query.values ? columns.values : columns.keys).get(only);
  return row && recordAt(only, row, 0, query);
}

/** The value of the first record of a query, without its keys. */
export function readFirstValue(session: SqlSession, query: Query): StoredValue | undefined {
  const only = onlyKey(query);
  if (only === null || !isPlain(query)) return readFirst(session, query)?.value ?? undefined;
  const row = session.table(query.store, query.index).valueAt().get(only);
  return row && valueOf(row[0] as Uint8Array | null, fromHexadecimal(row[1] as Uint8Array | string | null));
}

/** Whether the first record of its only key is what is asked for. */
function isPlain({ after, from, direction, index }: Query): boolean {
  return after === undefined && from === undefined && (direction !== 'prev' || index === null);
}

/** `isPacked`: as one row of them all. */
export function rowsOf(session: SqlSession, query: Query, most: number, passed = 0, isPacked = false): readonly SqlRow[] {
  const edges = edgesOf(query);
  return session.table(query.store, query.index).scan(edges, shapeOf(query), isPacked).all(...parametersOf(edges), most, passed);
}

export function recordOf(row: SqlRow, query: Query): StoredRecord {
  return recordAt(row[0] as Uint8Array, row, 1, query);
}

/** `start` is the column behind the key. */
function recordAt(key: EncodedKey, row: SqlRow, start: number, { index, values }: Query): StoredRecord {
  const primaryKey = index === null ? key : (row[start] as Uint8Array);
  if (!values) return { key, primaryKey, value: null };
  const at = index === null ? start : start + 1;
  return { key, primaryKey, value: valueOf(row[at] as Uint8Array | null, row[at + 1] as Uint8Array | null) };
}

function valueOf(files: Uint8Array | null, bytes: Uint8Array | null): StoredValue {
  if (files === null && bytes !== null) return { bytes, blobs: NO_FILES.blobs };
  const { value, blobs } = readFiles(files);
  return value === null ? { bytes: bytes ?? new Uint8Array(0), blobs } : new FiledValue(value, blobs);
}
