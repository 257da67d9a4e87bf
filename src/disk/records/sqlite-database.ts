import type { Ledger } from '../quota/ledger.ts';
import type { Durability } from '../root/durable.ts';
import path from 'node:path';
import { onShortage } from '../../runtime/descriptors.ts';
import { nextTurn, uptime } from '../../runtime/timers.ts';
import { OpenJournals, type Suspendable } from '../journal/open-journals.ts';
import type { Space } from '../journal/space.ts';
import { BlobDirectory } from './blob-directory.ts';
import type { BlobHolds } from './database-locks.ts';
import { BlobGarbage } from './blob-garbage.ts';
import { CheckpointRoom } from './checkpoint-room.ts';
import { Checkpoints } from './checkpoints.ts';
import { DatabaseCopy } from './database-copy.ts';
import { Growth } from './growth.ts';
import { LogFile } from './log-file.ts';
import { Readers } from './readers.ts';
import type { BlobFiles, CopyReport, ReadTransaction, RecordDatabase, Schema, UpgradeTransaction, WriteTransaction } from './record-database.ts';
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
  /** Of what does not say so itself. */
  readonly durability: Durability;
  readonly ledger: Ledger;
  readonly space: Space | undefined;
  readonly holds: BlobHolds;
  /** Runs what reads the database outside of its transactions, when it may. */
  reading<T>(body: () => T): Promise<T>;
  onClosed(): void;
  /** Told of checkpoints that held the event loop for more than `longMs`. */
  onCheckpoint(checkpoint: LongCheckpoint): void;
  readonly longMs: number;
  /** Told when a file was let go after it was closed. */
  onReleased(): void;
}

/** A checkpoint that held the event loop for long. */
export interface LongCheckpoint {
  /** The database's name. */
  readonly database: string;
  readonly milliseconds: number;
  /** Of the log, which was brought into the database's file. */
  readonly bytes: number;
}

/** Files of which one turn finds out whether a record mentions them. */
const LOOKED_AT_ONCE = 256;

/** Databases of this realm that are connected: each takes some descriptors. */
const connected = new OpenJournals<SqliteDatabase>(128);
onShortage(() => connected.suspendWhere(() => true));

/**
 * A database of one realm. Invariants
 * - One connection writes; its transactions come one after another. The others read.
 * - While nobody uses it, and others need their place, it has no connection; the next use connects it again.
 * - `commits` counts what this realm has committed: with SQLite's own count of what others have, it names a state.
 */
export class SqliteDatabase implements RecordDatabase, Suspendable {
  used = false;
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
  readonly #log: LogFile;
  readonly #checkpoints: Checkpoints | null;
  readonly #growth: Growth;
  /** What the transaction that writes may do. */
  readonly #transaction: Writer;
  #commits = 0;
  #isWriting = false;
  /** Whether the transaction that writes follows another, and somebody calls {@link endWriting} after the last one. */
  #isNext = false;
  #isConnected = false;
  #isClosed = false;

  /** @throws as SqliteFile.open does */
  constructor(place: DatabasePlace, file: SqliteFile) {
    this.#place = place;
    this.#file = file;
    this.name = place.name;
    this.hasSnapshots = file.driver.hasSnapshots;
    this.#writer = file.open();
    this.#log = new LogFile(file.log, place.path);
    const room = new CheckpointRoom(this.#writer, file, place.space);
    this.#growth = new Growth(this.#writer, file, this.#log, place.ledger, room);
    this.#blobs = new BlobDirectory(path.join(place.path, 'blobs'), { ...place, sealing: file.sealing }, (id) => this.#released(id));
    this.#readers = new Readers(() => file.open(), this.hasSnapshots ? () => this.#state() : null, this.#blobs);
    this.#checkpoints = !this.hasSnapshots ? null : new Checkpoints(file, this.#log, this.#writer, this.#growth, room, () => !this.#isWriting && !this.#isClosed, (work) => this.#timed(work));
    this.#transaction = {
      session: this.#writer,
      admit: (bytes) => this.#growth.admit(bytes),
      deleted: () => this.#growth.deleted(),
      commit: (files, durability) => this.#commit(files, durability === 'default' ? place.durability : durability),
      rollback: (files) => this.#rollback(files),
    };
    this.#garbage = new BlobGarbage(this.#blobs, this.#writer, this.#checkpoints, () => !this.#isWriting && !this.#isClosed);
    this.#use();
  }

  #use(): void {
    this.used = true;
    if (this.#isConnected) return;
    this.#isConnected = true;
    connected.add(this);
  }

  get busy(): boolean {
    return this.#isWriting || this.#readers.isReading || this.#log.isSyncing;
  }

  suspend(): void {
    this.#isConnected = false;
    this.#timed(() => this.#growth.closing(() => {
      this.#readers.suspend();
      this.#log.close();
      this.#writer.suspend();
    }));
  }

  get blobs(): BlobFiles {
    return this.#blobs;
  }

  #state(): string {
    return `${this.#commits}:${this.#writer.commitsOfOthers()}`;
  }

  readSchema(): Promise<Schema> {
    return this.#place.reading(() => {
      // Whoever opens it, in whose absence others may have upgraded it.
      this.#readers.forgetSchema();
      const transaction = this.read();
      const { schema } = transaction;
      transaction.rollback();
      return schema;
    });
  }

  read(isOpen = false): ReadTransaction {
    this.#use();
    return this.#readers.read(isOpen);
  }

  write(isNext = false): WriteTransaction {
    this.#begin(isNext);
    return new SqlWriteTransaction(this.#transaction, new TransactionFiles(this.#blobs));
  }

  upgrade(): UpgradeTransaction {
    this.#begin(false);
    this.#readers.forgetSchema();
    return new SqlUpgradeTransaction(this.#transaction, new TransactionFiles(this.#blobs));
  }

  #begin(isNext: boolean): void {
    this.#use();
    this.#isNext = isNext;
    const hasChanged = this.#writer.beginWriting();
    try {
      this.#growth.begin(hasChanged);
    } catch (error) {
      this.#writer.rollback();
      throw error;
    }
    this.#isWriting = true;
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
    if (durability === 'strict') await this.#log.sync();
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
    this.#garbage.afterCommit();
    this.#settle(this.#isNext && this.hasSnapshots);
  }

  #rollback(files: TransactionFiles): void {
    this.#writer.rollback();
    this.#isWriting = false;
    files.rolledBack();
    this.#settle(false);
    if (this.#growth.isShort) this.#checkpoints?.cutSoon();
    this.#garbage.collectSoon();
  }

  /** The log has grown, by a transaction that was undone too where it was a large one. */
  #settle(mayWait: boolean): void {
    const size = this.#growth.ended(mayWait);
    this.#checkpoints?.logIs(size);
  }

  endWriting(): void {
    if (!this.#isClosed) this.#growth.rest();
  }

  /** While it is closed, what nothing refers to is left to whoever opens it. */
  #released(id: number): void {
    if (this.#isClosed) this.#place.onReleased();
    else this.#garbage.add([id]);
  }

  /** Around a checkpoint, such as the end of the last connection makes: tells of it where it took long. */
  #timed<T>(checkpoint: () => T): T {
    const bytes = this.#growth.size;
    const begin = uptime();
    const result = checkpoint();
    const milliseconds = uptime() - begin;
    if (milliseconds > this.#place.longMs) this.#place.onCheckpoint({ database: this.name, milliseconds, bytes });
    return result;
  }

  /** Looks for files that were left by realms that have ended. */
  async collectOrphans(): Promise<void> {
    const found = await this.#blobs.list();
    if (!this.hasSnapshots) return void (this.#isClosed || this.#garbage.add(found));
    for (let at = 0; at < found.length && !this.#isClosed; at += LOOKED_AT_ONCE) {
      const some = found.slice(at, at + LOOKED_AT_ONCE);
      this.#garbage.add(some.filter((id) => !this.#garbage.isMentioned(id)));
      await nextTurn();
    }
  }

  /** Copies it into a directory that is there and empty. Where there are no snapshots, nobody writes meanwhile. */
  async copyTo(directory: string): Promise<CopyReport> {
    const session = this.#file.open();
    const copy = new DatabaseCopy(session, this.#file, directory);
    const report = await copy.make().finally(() => this.#growth.closing(() => session.close()));
    copy.complete(this.name);
    return report;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    connected.delete(this);
    this.#garbage.close();
    this.#timed(() => this.#growth.closing(() => {
      this.#readers.close();
      this.#log.close();
      this.#writer.close();
    }));
    this.#place.onClosed();
  }
}
