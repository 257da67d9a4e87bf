import type { EncodedKey } from './key.ts';
import { filesOf, readFiles, readIndexKeys, writeIndexKeys, type RecordFiles } from './record-bytes.ts';
import type { IndexDefinition, IndexKeys, Put, Refusal, StoreDefinition } from './record-database.ts';
import { RecordsDamagedError } from './records-error.ts';
import type { SqlValue } from './sql-driver.ts';
import type { SqlSession } from './sql-session.ts';
import { columns } from './statements.ts';

/** What is known of a record that is about to be replaced or deleted. */
export interface Remains {
  readonly row: number;
  readonly key: EncodedKey;
  readonly indexKeys: Uint8Array | null;
  readonly files: Uint8Array | null;
}

/** A record's columns besides its key. */
export interface Content {
  readonly indexKeys: readonly IndexKeys[];
  readonly files: Uint8Array | null;
  readonly bytes: Uint8Array | null;
}

export function remainsOf(row: readonly SqlValue[]): Remains {
  return { key: row[0] as Uint8Array, row: row[1] as number, indexKeys: row[2] as Uint8Array | null, files: row[3] as Uint8Array | null };
}

export function findRemains(session: SqlSession, store: number, key: EncodedKey): Remains | null {
  const row = session.table(store, null).atKey(columns.remains).get(key);
  return row === undefined ? null : { key, row: row[0] as number, indexKeys: row[1] as Uint8Array | null, files: row[2] as Uint8Array | null };
}

const INSERT = 'INSERT INTO $(id, k, x, b, v) VALUES (?, ?, ?, ?, ?)';
const UPDATE = 'UPDATE $ SET x = ?, b = ?, v = ? WHERE id = ?';

/** Writes a record and its index entries, in the place of `old`; a new one has the row `free`. */
export function writeRecord(session: SqlSession, store: StoreDefinition, key: EncodedKey, old: Remains | null, content: Content, free: number): void {
  const table = session.table(store.id, null);
  const { indexKeys, files, bytes } = content;
  const written = writeIndexKeys(indexKeys);
  const row = old?.row ?? free;
  if (old === null) table.by(INSERT).run(row, key, written, files, bytes);
  else table.by(UPDATE).run(written, files, bytes, row);
  // Most records that are replaced keep their index keys.
  if (old !== null && isSame(old.indexKeys, written)) return;
  const before = readIndexKeys(old?.indexKeys ?? null);
  if (old !== null) deleteEntries(session, store, key, before, indexKeys);
  for (const { index, keys } of indexKeys) insertEntries(session, store.id, index, key, row, without(keys, keysIn(before, index)));
}

/** A record that keeps its index keys, and has no files, is replaced; one that does not is left as it is. */
const PUT = 'INSERT INTO $(id, k, x, v) VALUES (?, ?, ?, ?) ON CONFLICT(k) DO UPDATE SET v = excluded.v WHERE b IS NULL AND x IS excluded.x';
const ADD = 'INSERT INTO $(id, k, x, v) VALUES (?, ?, ?, ?) ON CONFLICT(k) DO NOTHING';

/**
 * Does the same for most records by one statement, and one for each index entry of a new one. `free` is a row that neither
 * the store has nor `lastRow` is: which tells that the record was new.
 *
 * @returns false where nothing was written: another record is in the way
 */
export function writeAtOnce(session: SqlSession, store: number, { key, value, indexKeys, overwrite }: Put, free: number): boolean {
  const table = session.table(store, null);
  if (table.by(overwrite ? PUT : ADD).run(free, key, writeIndexKeys(indexKeys), value.bytes) === 0) return false;
  if (session.connection.lastRow !== free) return true;
  for (const { index, keys } of indexKeys) insertEntries(session, store, index, key, free, keys);
  return true;
}

const INSERT_ENTRY = 'INSERT INTO $(k, p, r) VALUES (?, ?, ?)';

export function insertEntries(session: SqlSession, store: number, index: number, key: EncodedKey, row: number, keys: readonly EncodedKey[]): void {
  for (const entry of keys) session.table(store, index).by(INSERT_ENTRY).perform(entry, key, row);
}

const DELETE_ENTRY = 'DELETE FROM $ WHERE k = ? AND p = ?';

/** Deletes a record's entries, but for those of `kept`. Indexes that are gone may still be named. */
export function deleteEntries(session: SqlSession, store: StoreDefinition, key: EncodedKey, before: readonly IndexKeys[], kept: readonly IndexKeys[] = []): void {
  for (const { index, keys } of before) {
    if (!store.indexes.some(({ id }) => id === index)) continue;
    for (const entry of without(keys, keysIn(kept, index))) session.table(store.id, index).by(DELETE_ENTRY).run(entry, key);
  }
}

function keysIn(all: readonly IndexKeys[], index: number): readonly EncodedKey[] {
  return all.find((of) => of.index === index)?.keys ?? [];
}

function without(keys: readonly EncodedKey[], others: readonly EncodedKey[]): readonly EncodedKey[] {
  return others.length === 0 ? keys : keys.filter((key) => !others.some((other) => isSame(key, other)));
}

function isSame(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === null || b === null || a.length !== b.length) return a === b;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}

const OTHER = 'SELECT 1 FROM $ WHERE k = ? AND p <> ? LIMIT 1';

/** The first unique index that has one of the keys for another record. */
export function findConflict(session: SqlSession, store: StoreDefinition, key: EncodedKey, indexKeys: readonly IndexKeys[]): Refusal | null {
  for (const index of store.indexes) {
    if (index.unique && isTaken(session, store.id, index, key, keysIn(indexKeys, index.id))) return { constraint: 'index', index: index.id };
  }
  return null;
}

function isTaken(session: SqlSession, store: number, index: IndexDefinition, key: EncodedKey, keys: readonly EncodedKey[]): boolean {
  return keys.some((entry) => session.table(store, index.id).by(OTHER).get(entry, key) !== undefined);
}

const ADD_FILE = 'INSERT INTO blobs(id, refs) VALUES (?, 1) ON CONFLICT(id) DO UPDATE SET refs = refs + 1';
const DROP_FILE = 'UPDATE blobs SET refs = refs - 1 WHERE id = ?';
const DELETE_FILE = 'DELETE FROM blobs WHERE id = ? AND refs <= 0';

/** Counts a record's mentions of its files. */
export function addFiles(session: SqlSession, files: RecordFiles): void {
  for (const id of filesOf(files)) session.by(ADD_FILE).run(id);
}

/** Takes back a record's mentions. @returns the files that no record mentions any more */
export function dropFiles(session: SqlSession, bytes: Uint8Array | null): readonly number[] {
  if (bytes === null) return [];
  return filesOf(readFiles(bytes)).filter((id) => dropFile(session, id));
}

function dropFile(session: SqlSession, id: number): boolean {
  if (session.by(DROP_FILE).run(id) === 0) throw new RecordsDamagedError(`A database has no count of its file ${id}.`);
  return session.by(DELETE_FILE).run(id) > 0;
}
