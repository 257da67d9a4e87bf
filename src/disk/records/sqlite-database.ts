import type { Ledger } from '../quota/ledger.ts';
import path from 'node:path';
import { BlobDirectory } from './blob-directory.ts';
import type { BlobHolds } from './database-locks.ts';
import { BlobGarbage } from './blob-garbage.ts';
import { Checkpoints } from './checkpoints.ts';
import { Growth } from './growth.ts';
import { LogSync } from './log-sync.ts';
import { Readers } from './readers.ts';
import type { BlobFiles, ReadTransaction, RecordDatabase, Schema, UpgradeTransaction, WriteTransaction } from './record-database.ts';
import type { SqlSession } from './sql-session.ts';
import type { SqliteFile } from './sqlite-file.ts';
import { TransactionFiles } from './transaction-files.ts';
import { SqlUpgradeTransaction } from './upgrade-transaction.ts';
import { SqlWriteTransaction, type Writer } from './write-transaction.ts';

/** What a database takes of its bucket. */
export interface DatabasePlace {
  readonly name: string;
  /** Its directory. */
  readonly path: string;
  readonly ledger: Ledger;
  readonly holds: BlobHolds;
  onClosed(): void;
}

/**
 * A database of one realm. Invariants
 * - One connection writes; its transactions come one after another. The others read.
 * - `commits` counts what this realm has committed: with SQLite's own count of what others have, it names a state.
 */
export class SqliteDatabase implements RecordDatabase {
  readonly name: string;
  readonly hasSnapshots: boolean;
  /** Whether anybody has opened it, who will close it. */
  isUsed = false;
  readonly #place: DatabasePlace;
  readonly #file: SqliteFile;
  readonly #writer: SqlSession;
  readonly #readers: Readers;
  readonly #blobs: BlobDirectory;
  readonly #garbage: BlobGarbage;
  readonly #logSync: LogSync | null;
  readonly #checkpoints: Checkpoints | null;
  readonly #growth: Growth;
  #commits = 0;
  #isWriting = false;
  #isClosed = false;

  /** @throws as SqliteFile.open does */
  constructor(place: DatabasePlace, file: SqliteFile) {
    this.#place = place;
    this.#file = file;
    this.name = place.name;
    this.hasSnapshots = file.driver.hasSnapshots;
    this.#writer = file.open();
    this.#blobs = new BlobDirectory(path.join(place.path, 'blobs'), place.name, place.ledger, place.holds, (id) => this.#garbage.add([id]));
    this.#readers = new Readers(() => file.open(), () => this.#state(), this.#blobs);
    this.#logSync = this.hasSnapshots ? new LogSync(file.log, place.path) : null;
    this.#checkpoints = this.#logSync && new Checkpoints(file, this.#logSync, this.#writer, () => !this.#isWriting && !this.#isClosed);
    this.#garbage = new BlobGarbage(this.#blobs, this.#writer, this.#checkpoints, () => !this.#isWriting && !this.#isClosed);
    this.#growth = new Growth(this.#writer, file, place.ledger);
  }

  get blobs(): BlobFiles {
    return this.#blobs;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  #state(): string {
    return `${this.#commits}:${String(this.#writer.by('PRAGMA data_version').get()?.[0])}`;
  }

  readSchema(): Schema {
    const transaction = this.read();
    const { schema } = transaction;
    transaction.rollback();
    return schema;
  }

  read(): ReadTransaction {
    return this.#readers.read();
  }

  write(): WriteTransaction {
    return new SqlWriteTransaction(this.#begin());
  }

  upgrade(): UpgradeTransaction {
    return new SqlUpgradeTransaction(this.#begin());
  }

  #begin(): Writer {
    const session = this.#writer;
    session.beginWriting();
    this.#isWriting = true;
    const files = new TransactionFiles(this.#blobs);
    try {
      this.#growth.begin();
    } catch (error) {
      this.#rollback(files);
      throw error;
    }
    return {
      session,
      files,
      admit: (bytes) => this.#growth.admit(bytes),
      deleted: () => this.#growth.deleted(),
      commit: (durability) => this.#commit(files, durability),
      rollback: () => this.#rollback(files),
    };
  }

  #commit(files: TransactionFiles, durability: 'relaxed' | 'strict'): Promise<void> | null {
    const { written } = files;
    if (written !== null || durability === 'strict') return this.#commitLater(files, written, durability);
    this.#commitNow(files);
    return null;
  }

  async #commitLater(files: TransactionFiles, written: Promise<void> | null, durability: 'relaxed' | 'strict'): Promise<void> {
    try {
      await written;
      if (durability === 'strict' && files.mentions.length > 0) await this.#blobs.sync(files.mentions);
    } catch (error) {
      this.#rollback(files);
      throw error;
    }
    this.#commitNow(files);
    if (durability === 'strict') await this.#logSync?.sync();
  }

  #commitNow(files: TransactionFiles): void {
    try {
      this.#growth.beforeCommit();
      this.#writer.commit();
    } catch (error) {
      this.#rollback(files);
      throw error;
    }
    this.#isWriting = false;
    this.#commits += 1;
    this.#garbage.add(files.committed());
    this.#settle();
  }

  #rollback(files: TransactionFiles): void {
    this.#writer.rollback();
    this.#isWriting = false;
    this.#growth.rolledBack();
    files.rolledBack();
    this.#settle();
  }

  /** The log has grown, by a transaction that was undone too where it was a large one. */
  #settle(): void {
    if (this.#checkpoints === null) return;
    const bytes = this.#file.logSize;
    this.#growth.logIs(bytes);
    this.#checkpoints.logIs(bytes);
  }

  /** Looks for files that were left by realms that have ended. */
  async collectOrphans(): Promise<void> {
    const found = await this.#blobs.list();
    if (this.#isClosed || found.length === 0) return;
    const mentioned = new Set(this.#writer.by('SELECT id FROM blobs').all().map(([id]) => id));
    this.#garbage.add(found.filter((id) => !mentioned.has(id)));
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#garbage.close();
    this.#readers.close();
    this.#logSync?.close();
    this.#growth.aroundClose(() => this.#writer.close());
    this.#place.onClosed();
  }
}
