import fs from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { requireDescriptors } from '../../runtime/descriptors.ts';
import { errorMessage, isError } from '../../runtime/errors.ts';
import { OverQuotaError } from '../quota/ledger.ts';
import type { DatabaseSealing } from '../tree/sealing.ts';
import { RecordsBusyError, RecordsDamagedError } from './records-error.ts';
import { APPLICATION_ID, createTables, SCHEMA_VERSION } from './schema.ts';
import { sqlCodes, type SqlConnection, type SqlDriver, type SqlFailure } from './sql-driver.ts';
import { SqlSession } from './sql-session.ts';

export const PAGE_BYTES = 4096;

/** The log is not cut to less when it begins anew: about what it has when a checkpoint is due. */
export const KEPT_LOG_BYTES = 2 ** 22;

/** What a connection opens: the file, its log and the index of that. */
const DESCRIPTORS = 3;

/** The file of a database, and how connections to it are opened. `fs` must never open it while one is. */
export class SqliteFile {
  readonly path: string;
  /** The write-ahead log, or the journal by which a transaction is undone. */
  readonly log: string;
  readonly driver: SqlDriver;
  /** Undefined: it is not encrypted. Else the driver is one of its files. */
  readonly sealing: DatabaseSealing | undefined;

  constructor(directory: string, driver: SqlDriver, sealing?: DatabaseSealing) {
    this.path = path.join(directory, 'db');
    this.log = this.path + (driver.hasSnapshots ? '-wal' : '-journal');
    this.driver = driver;
    this.sealing = sealing;
  }

  /** @throws RecordsDamagedError, RecordsBusyError, HoldfastError `root-newer`, and the operating system's where descriptors run out */
  open(): SqlSession {
    return new SqlSession(() => this.#connect());
  }

  #connect(): SqlConnection {
    this.#refuseOthers();
    // SQLite does not say what it lacked.
    requireDescriptors(DESCRIPTORS);
    const connection = this.driver.open(this.path, 'existing', this.#failure);
    try {
      this.#configure(connection);
      this.#refuseNewer(connection);
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** SQLite would follow a link, or make a file that is missing. */
  #refuseOthers(): void {
    if (fs.lstatSync(this.path, { throwIfNoEntry: false })?.isFile() !== true) {
      throw new RecordsDamagedError(`${this.path} is missing, or no plain file.`, this.path);
    }
  }

  #configure(connection: SqlConnection): void {
    connection.exec('PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA synchronous = NORMAL');
    // When the log begins anew, what is there is written over.
    if (this.driver.hasSnapshots) connection.exec(`PRAGMA busy_timeout = 0; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = ${KEPT_LOG_BYTES}`);
    // Of the journals that survive a kill this is the cheapest. Its cut is synced where a commit is to be strict.
    else connection.exec('PRAGMA journal_mode = TRUNCATE');
  }

  #refuseNewer(connection: SqlConnection): void {
    const [id] = connection.prepare('PRAGMA application_id').get() ?? [];
    const [version] = connection.prepare('PRAGMA user_version').get() ?? [];
    if (id !== APPLICATION_ID || typeof version !== 'number') throw new RecordsDamagedError(`${this.path} is no database of Holdfast.`, this.path);
    if (version > SCHEMA_VERSION) {
      throw new HoldfastError('root-newer', `${this.path} was made by a newer version of Holdfast (its tables are of version ${version}).`);
    }
  }

  /** Makes the file, in a directory that nobody else knows yet: whoever wants it to last syncs it. */
  create(name: string): void {
    this.createEmpty();
    this.#changeNew((connection) => {
      connection.exec(`PRAGMA journal_mode = ${this.#mode}`);
      connection.exec('BEGIN');
      createTables(connection, name);
      connection.exec('COMMIT');
    });
  }

  /** The same without a table, and without the log that it will have. */
  createEmpty(): void {
    fs.closeSync(fs.openSync(this.path, 'wx', 0o600));
    this.#changeNew((connection) => {
      connection.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}`);
    });
  }

  /** A connection to one that nobody knows yet; the caller closes it. */
  openNew(): SqlConnection {
    return this.driver.open(this.path, 'new', this.#failure);
  }

  /** Gives one that was made empty, and filled, its log. */
  complete(): void {
    this.#changeNew((connection) => connection.exec(`PRAGMA journal_mode = ${this.#mode}`));
  }

  get #mode(): string {
    return this.driver.hasSnapshots ? 'WAL' : 'TRUNCATE';
  }

  #changeNew(change: (connection: SqlConnection) => void): void {
    const connection = this.openNew();
    try {
      connection.exec('PRAGMA synchronous = OFF');
      change(connection);
    } finally {
      connection.close();
    }
  }

  /** Bytes of the file and its log. */
  get size(): number {
    return this.ownSize + this.logSize;
  }

  /** Without its log. */
  get ownSize(): number {
    return sizeOf(this.path);
  }

  get logSize(): number {
    return sizeOf(this.log);
  }

  readonly #failure: SqlFailure = (code, cause) => {
    switch (code) {
      case sqlCodes.busy:
      case sqlCodes.locked:
        return new RecordsBusyError(this.path, { cause });
      case sqlCodes.full:
        return new OverQuotaError(`The disk of ${this.path} is full.`, 0, 0);
      default:
        if (isError(cause) && cause.cause instanceof HoldfastError) return cause.cause; // of its keys
        return new RecordsDamagedError(`The database ${this.path} cannot be read or written: ${errorMessage(cause)}.`, this.path, { cause });
    }
  };
}

function sizeOf(file: string): number {
  return fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
