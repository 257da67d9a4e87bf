import type { EncodedKey } from './key.ts';
import { writeIndexKeys } from './record-bytes.ts';
import type { IndexDefinition, IndexKeys, KeyPath, Refusal, Schema, Steps, StoreDefinition, UpgradeTransaction } from './record-database.ts';
import { RecordsDamagedError } from './records-error.ts';
import { createIndexTable, createStoreTable } from './schema.ts';
import type { TransactionFiles } from './transaction-files.ts';
import { SqlWriteTransaction, type Writer } from './write-transaction.ts';
import { findConflict, findRemains, insertEntries } from './writing.ts';

const NEW_ID = "UPDATE meta SET v = v + 1 WHERE k = 'ids' RETURNING v - 1";

/** The schema in memory is always that of the tables; what is undone leaves the next transaction to read it again. */
export class SqlUpgradeTransaction extends SqlWriteTransaction implements UpgradeTransaction {
  constructor(writer: Writer, files: TransactionFiles) {
    super(writer, files);
    this.session.changeSchema(this.session.schema);
  }

  setVersion(version: number): void {
    this.session.by("UPDATE meta SET v = ? WHERE k = 'version'").run(version);
    this.#change({ version });
  }

  #change(change: Partial<Schema>): void {
    this.session.changeSchema({ ...this.schema, ...change });
  }

  #changeStore(store: number, change: Partial<StoreDefinition>): void {
    this.#change({ stores: this.schema.stores.map((other) => (other.id === store ? { ...other, ...change } : other)) });
  }

  #newId(): number {
    return this.session.by(NEW_ID).get()?.[0] as number;
  }

  createStore(name: string, keyPath: KeyPath | null, autoIncrement: boolean): StoreDefinition {
    const store: StoreDefinition = { id: this.#newId(), name, keyPath, autoIncrement, indexes: [] };
    createStoreTable(this.session.connection, store.id);
    const insert = 'INSERT INTO stores(id, name, path, auto, gen) VALUES (?, ?, ?, ?, 1)';
    this.session.by(insert).run(store.id, JSON.stringify(name), JSON.stringify(keyPath), Number(autoIncrement));
    this.#change({ stores: [...this.schema.stores, store] });
    return store;
  }

  renameStore(store: number, name: string): void {
    this.session.by('UPDATE stores SET name = ? WHERE id = ?').run(JSON.stringify(name), store);
    this.#changeStore(store, { name });
  }

  *deleteStore(store: number): Steps<void> {
    const { indexes } = this.session.store(store);
    yield* this.dropAllFiles(store);
    for (const { id } of indexes) {
      yield* this.deleteIndex(store, id);
      yield;
    }
    yield* this.emptyStore(store);
    this.session.dropTable(store, `r${store}`);
    this.session.by('DELETE FROM stores WHERE id = ?').run(store);
    this.#change({ stores: this.schema.stores.filter(({ id }) => id !== store) });
  }

  createIndex(store: number, definition: Omit<IndexDefinition, 'id'>): IndexDefinition {
    const index: IndexDefinition = { ...definition, id: this.#newId() };
    createIndexTable(this.session.connection, index.id);
    const insert = 'INSERT INTO indexes(id, store, name, path, uniq, multi) VALUES (?, ?, ?, ?, ?, ?)';
    this.session.by(insert).run(index.id, store, JSON.stringify(index.name), JSON.stringify(index.keyPath), Number(index.unique), Number(index.multiEntry));
    this.#changeStore(store, { indexes: [...this.session.store(store).indexes, index] });
    return index;
  }

  renameIndex(store: number, index: number, name: string): void {
    this.session.by('UPDATE indexes SET name = ? WHERE id = ?').run(JSON.stringify(name), index);
    const { indexes } = this.session.store(store);
    this.#changeStore(store, { indexes: indexes.map((other) => (other.id === index ? { ...other, name } : other)) });
  }

  *deleteIndex(store: number, index: number): Steps<void> {
    yield* this.emptyIndex(store, index);
    this.session.dropTable(index, `i${index}`);
    this.session.by('DELETE FROM indexes WHERE id = ?').run(index);
    this.#changeStore(store, { indexes: this.session.store(store).indexes.filter(({ id }) => id !== index) });
  }

  fillIndex(store: number, primaryKey: EncodedKey, keys: IndexKeys): Refusal | null {
    const conflict = findConflict(this.session, this.session.store(store), primaryKey, [keys]);
    if (conflict !== null) return conflict;
    const record = findRemains(this.session, store, primaryKey);
    if (record === null) throw new RecordsDamagedError(`A record of store ${store} has gone while it was indexed.`);
    const added = writeIndexKeys([keys]);
    if (added === null) return null;
    const all = record.indexKeys === null ? added : Buffer.concat([record.indexKeys, added]);
    this.session.table(store, null).by('UPDATE $ SET x = ? WHERE id = ?').run(all, record.row);
    insertEntries(this.session, store, keys.index, primaryKey, record.row, keys.keys);
    return null;
  }

  protected override beforeCommit(): void {
    super.beforeCommit();
    this.session.by("UPDATE meta SET v = v + 1 WHERE k = 'schema'").run();
  }
}
