import { randomInteger } from '../../runtime/random.ts';
import type { EncodedKey } from './key.ts';
import type { FiledValue } from './reading.ts';
import { LAST_GENERATED, SqlReadTransaction } from './read-transaction.ts';
import { NO_FILES, readIndexKeys, writeFiles, type RecordFiles } from './record-bytes.ts';
import type { Put, Range, Refusal, Steps, StoreDefinition, StoredValue, WriteTransaction } from './record-database.ts';
import type { SqlSession } from './sql-session.ts';
import type { TransactionFiles } from './transaction-files.ts';
import { edgesOf } from './bounds.ts';
import { columns, parametersOf } from './statements.ts';
import { addFiles, deleteEntries, dropFiles, findConflict, findRemains, remainsOf, writeAtOnce, writeRecord, type Content, type Remains } from './writing.ts';

/** Values that are longer are files of their own, in bytes. */
const LARGE_BYTES = 2 ** 16;

/** Records that are deleted in one step. */
const DELETED_AT_ONCE = 128;

/** The first double behind the highest number that a key generator gives. */
const NONE_LEFT = LAST_GENERATED + 2;

/** What a transaction needs of its database; it is one transaction's at a time. */
export interface Writer {
  readonly session: SqlSession;
  /** Told of bytes that were written, now and then: refuses what the quota does not suffice for. @throws OverQuotaError */
  admit(bytes: number): void;
  /** Told when pages may have become free. */
  deleted(): void;
  /** Ends it by a commit. */
  commit(files: TransactionFiles, durability: 'default' | 'relaxed' | 'strict'): Promise<void> | null;
  /** Ends it by a rollback. */
  rollback(files: TransactionFiles): void;
}

/** A key generator, of which `next` is in memory until the commit. */
interface Generator {
  next: number;
  isUsed: boolean;
}

const nothing = (): void => undefined;

const ADD = 'INSERT INTO $(k, b, v) VALUES (?, ?, ?) ON CONFLICT(k) DO NOTHING';
/** A record that has files is left as it is: they have to be looked at first. */
const PUT = 'INSERT INTO $(k, b, v) VALUES (?, ?, ?) ON CONFLICT(k) DO UPDATE SET b = excluded.b, v = excluded.v WHERE b IS NULL';
const LAST_ROW = 'SELECT max(id) FROM $';
const ROW_AHEAD = `SELECT id FROM $ ORDER BY id LIMIT 1 OFFSET ${DELETED_AT_ONCE - 1}`;
const ENTRY_AHEAD = `SELECT k, p FROM $ ORDER BY k, p LIMIT 1 OFFSET ${DELETED_AT_ONCE - 1}`;
const GENERATOR = 'SELECT gen FROM stores WHERE id = ?';
const SET_GENERATOR = 'UPDATE stores SET gen = ? WHERE id = ?';

/**
 * Invariants
 * - Nothing is written before it is known that no key is in the way: what is refused leaves no trace.
 * - Key generators are in memory until the commit, so that what ends otherwise leaves them as they were.
 */
export class SqlWriteTransaction extends SqlReadTransaction implements WriteTransaction {
  readonly #writer: Writer;
  readonly #files: TransactionFiles;
  /** Those that were asked. */
  #generators: Map<number, Generator> | null = null;
  /** The next rows of stores that have indexes. */
  #rows: Map<number, number> | null = null;

  constructor(writer: Writer, files: TransactionFiles) {
    super(writer.session, files.directory, nothing);
    this.#writer = writer;
    this.#files = files;
  }

  put(put: Put): Refusal | null {
    const store = this.session.store(put.store);
    const files = filesFor(put.value);
    const refusal = store.indexes.length === 0 ? this.#putPlain(store, put, files) : this.#putIndexed(store, put, files);
    if (refusal !== null) return refusal;
    if (files !== NO_FILES) this.#keep(files, put.value.bytes);
    this.#writer.admit(put.key.length + (files.value === null ? put.value.bytes.length : 0));
    return null;
  }

  /** One statement, but where files are replaced. */
  #putPlain(store: StoreDefinition, { key, value, overwrite }: Put, files: RecordFiles): Refusal | null {
    const bytes = files.value === null ? value.bytes : null;
    const written = writeFiles(files);
    const table = this.session.table(store.id, null);
    // SQLite chooses the row.
    this.#rows?.delete(store.id);
    if (table.by(overwrite ? PUT : ADD).run(key, written, bytes) > 0) return null;
    if (!overwrite) return { constraint: 'key' };
    const old = findRemains(this.session, store.id, key);
    this.#replace(store, key, old, { indexKeys: [], files: written, bytes });
    return null;
  }

  #putIndexed(store: StoreDefinition, put: Put, files: RecordFiles): Refusal | null {
    const { key, value, indexKeys, overwrite } = put;
    const conflict = findConflict(this.session, store, key, indexKeys);
    if (conflict === null && files === NO_FILES && writeAtOnce(this.session, store.id, put, this.#freeRow(store.id))) return null;
    const old = conflict === null || !overwrite ? findRemains(this.session, store.id, key) : null;
    if (old !== null && !overwrite) return { constraint: 'key' };
    if (conflict !== null) return conflict;
    this.#replace(store, key, old, { indexKeys, files: writeFiles(files), bytes: files.value === null ? value.bytes : null });
    return null;
  }

  /** A row that the store has not, and that is not the last one that was inserted anywhere. */
  #freeRow(store: number): number {
    this.#rows ??= new Map();
    let row = this.#rows.get(store) ?? this.#rowBehind(store);
    if (row === this.session.connection.lastRow) row++;
    this.#rows.set(store, row + 1);
    return row;
  }

  #rowBehind(store: number): number {
    const last = this.session.table(store, null).by(LAST_ROW).get()?.[0];
    return typeof last === 'number' ? last + 1 : 1;
  }

  #replace(store: StoreDefinition, key: EncodedKey, old: Remains | null, content: Content): void {
    writeRecord(this.session, store, key, old, content, old?.row ?? this.#freeRow(store.id));
    if (old?.files) this.#files.dropped(dropFiles(this.session, old.files));
  }

  /** Counts the files of a record that was written; a large value goes to its own. */
  #keep(files: RecordFiles, bytes: Uint8Array): void {
    addFiles(this.session, files);
    this.#files.mentioned(files, bytes);
  }

  protected override loadFiled(value: FiledValue): Promise<StoredValue> {
    const bytes = this.#files.unwritten(value.file.id);
    return bytes === undefined ? super.loadFiled(value) : Promise.resolve({ bytes, blobs: value.blobs });
  }

  *delete(store: number, range: Range): Steps<void> {
    this.#writer.deleted();
    const definition = this.session.store(store);
    const edges = edgesOf({ store, index: null, range, direction: 'next', values: false });
    const shape = { isForward: true, isUnique: false, columns: columns.remains };
    for (;;) {
      const rows = this.session.table(store, null).scan(edges, shape).all(...parametersOf(edges), DELETED_AT_ONCE, 0);
      this.#deleteRows(definition, rows.map(remainsOf));
      if (rows.length < DELETED_AT_ONCE) return;
      yield;
    }
  }

  /** Rows that come one after another. */
  #deleteRows(store: StoreDefinition, rows: readonly Remains[]): void {
    const [first, last] = [rows[0], rows[rows.length - 1]];
    if (first === undefined || last === undefined) return;
    for (const old of rows) {
      if (old.indexKeys !== null) deleteEntries(this.session, store, old.key, readIndexKeys(old.indexKeys));
      if (old.files !== null) this.#files.dropped(dropFiles(this.session, old.files));
    }
    const table = this.session.table(store.id, null);
    if (first === last) table.by('DELETE FROM $ WHERE id = ?').run(first.row);
    else table.by('DELETE FROM $ WHERE k >= ? AND k <= ?').run(first.key, last.key);
  }

  *clear(store: number): Steps<void> {
    const { indexes } = this.session.store(store);
    yield* this.dropAllFiles(store);
    for (const { id } of indexes) {
      yield* this.emptyIndex(store, id);
      yield;
    }
    yield* this.emptyStore(store);
  }

  /** SQLite frees a table's pages at once, which takes long where there are many. */
  protected *emptyStore(store: number): Steps<void> {
    const table = this.session.table(store, null);
    for (let last = table.by(ROW_AHEAD).get(); last !== undefined; last = table.by(ROW_AHEAD).get()) {
      table.by('DELETE FROM $ WHERE id <= ?').run(last[0] as number);
      yield;
    }
    table.by('DELETE FROM $').run();
  }

  protected *emptyIndex(store: number, index: number): Steps<void> {
    const table = this.session.table(store, index);
    for (let last = table.by(ENTRY_AHEAD).get(); last !== undefined; last = table.by(ENTRY_AHEAD).get()) {
      table.by('DELETE FROM $ WHERE (k, p) <= (?, ?)').run(last[0] as Uint8Array, last[1] as Uint8Array);
      yield;
    }
    table.by('DELETE FROM $').run();
  }

  /** The mentions of all records of a store that has files. */
  protected *dropAllFiles(store: number): Steps<void> {
    this.#writer.deleted();
    const table = this.session.table(store, null);
    for (;;) {
      const rows = table.by(`SELECT id, b FROM $ WHERE b IS NOT NULL LIMIT ${DELETED_AT_ONCE}`).all();
      for (const [row, files] of rows) {
        this.#files.dropped(dropFiles(this.session, files as Uint8Array));
        table.by('UPDATE $ SET b = NULL WHERE id = ?').run(row as number);
      }
      if (rows.length < DELETED_AT_ONCE) return;
      yield;
    }
  }

  generateKey(store: number): number | null {
    const { next } = this.#generator(store);
    return next > LAST_GENERATED ? null : next;
  }

  raiseKeyGenerator(store: number, key: number): void {
    const value = Math.floor(Math.min(key, LAST_GENERATED));
    const generator = this.#generator(store);
    if (value < generator.next) return;
    generator.next = value === LAST_GENERATED ? NONE_LEFT : value + 1;
    generator.isUsed = true;
  }

  #generator(store: number): Generator {
    this.#generators ??= new Map();
    let generator = this.#generators.get(store);
    if (generator === undefined) {
      generator = { next: this.session.by(GENERATOR).get(store)?.[0] as number, isUsed: false };
      this.#generators.set(store, generator);
    }
    return generator;
  }

  commit(durability: 'default' | 'relaxed' | 'strict'): Promise<void> | null {
    this.beforeCommit();
    this.end();
    return this.#writer.commit(this.#files, durability);
  }

  /** What is written at the end. */
  protected beforeCommit(): void {
    if (this.#generators === null) return;
    for (const [store, { next, isUsed }] of this.#generators) if (isUsed) this.session.by(SET_GENERATOR).run(next, store);
  }

  override rollback(): void {
    if (this.hasEnded) return;
    this.end();
    this.#writer.rollback(this.#files);
  }
}

function filesFor({ bytes, blobs }: StoredValue): RecordFiles {
  if (bytes.length <= LARGE_BYTES) return blobs.length === 0 ? NO_FILES : { value: null, blobs };
  return { value: { id: randomInteger(), size: bytes.length }, blobs };
}
