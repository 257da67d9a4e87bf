import fs from 'node:fs';
import path from 'node:path';
import { randomUuid } from '../../runtime/random.ts';
import { delay, setTimeout, uptime, wallClock, type Timer } from '../../runtime/timers.ts';
import { warn } from '../../runtime/warning.ts';
import { systemCode } from '../journal/disk-error.ts';
import { encodeName } from '../names/name.ts';
import type { BucketPlace } from '../place.ts';
import { ENTRY_BYTES, type Ledger } from '../quota/ledger.ts';
import { syncPath, syncTree, type Durability } from '../root/durable.ts';
import type { DatabaseSealing, WrittenOnce } from '../tree/sealing.ts';
import { makeOneOf } from './adoption.ts';
import type { BlobHolds, DatabaseLocks } from './database-locks.ts';
import { isPlainDirectory, makeDirectory, removeDatabase, removeWhole, weightBelow } from './database-directory.ts';
import { describeDatabase, readDescription, type Description } from './description.ts';
import { deletedIn, deletedName, draftsIn, deleteUnheld, PASSING } from './deleted-databases.ts';
import { driverForNew, driverNamed, driverOn } from './drivers.ts';
import { lookAt, PATIENCE, RETRY_AFTER, whileNobodyWrites } from './look-at.ts';
import type { CopyReport, RecordDatabase, RecordDatabases } from './record-database.ts';
import { RecordsBusyError, RecordsDamagedError, RecordsUnavailableError } from './records-error.ts';
import { areCurrent, encryptInto, renewFiles } from './renewal.ts';
import type { SqlDriver } from './sql-driver.ts';
import { sealedFiles } from './sealed-files.ts';
import { SqliteDatabase, type LongCheckpoint } from './sqlite-database.ts';
import { SqliteFile } from './sqlite-file.ts';

/** What databases need of their bucket. */
export interface DatabasesPlace {
  readonly bucket: BucketPlace;
  readonly foldsNames: boolean;
  readonly durability: Durability;
  readonly ledger: Ledger;
  readonly holds: BlobHolds;
  /** For looks into databases without snapshots, which nobody may read while somebody writes. */
  readonly locks: DatabaseLocks;
  /** Why this root can have no databases; null: it can. */
  readonly refusal: string | null;
  /** Told of checkpoints that held the event loop for long, which is more than `longMs` (10). */
  readonly onCheckpoint?: (checkpoint: LongCheckpoint) => void;
  readonly longMs?: number;
  /** What new databases are made with, where that is not the runtime's choice. @throws RecordsUnavailableError */
  readonly driverForNew?: () => Promise<SqlDriver>;
}

const DRAFT = /^\.new-(gone-)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** How old such a thing must be, in milliseconds, to count as left behind by a killed process. */
const ABANDONED_AFTER = 10 * 60_000;

/** How long a checkpoint may take before it is told, in milliseconds. */
const LONG_MS = 10;

/** How long the files of deleted databases that are let go wait for others, in milliseconds. */
const RELEASED_MS = 200;

/** What a new database takes, of which two files are: somewhat more than what SQLite writes. */
const NEW_BYTES = 2 * ENTRY_BYTES + 64 * 1024;

/** `indexeddb/databases/<spelled name>/`: databases of a bucket, of which each that is open in this realm is there once. */
export class SqliteDatabases implements RecordDatabases {
  readonly #place: DatabasesPlace;
  readonly #path: string;
  readonly #open = new Map<string, Promise<SqliteDatabase | null>>();
  #sweeping: Timer | null = null;
  #isClosed = false;

  constructor(place: DatabasesPlace) {
    this.#place = place;
    this.#path = path.join(place.bucket.path, 'indexeddb', 'databases');
  }

  async list(versionOf: (name: string) => number | null = () => null): Promise<{ name: string; version: number }[]> {
    const found: { name: string; version: number }[] = [];
    // What is known is what is known now: looking takes a while.
    for (const { name, known } of this.#descriptions().map(({ name }) => ({ name, known: versionOf(name) }))) {
      const version = known ?? (await this.#versionOf(name));
      if (version !== null) found.push({ name, version });
    }
    return found;
  }

  /** Null: it has gone meanwhile. */
  async #versionOf(name: string): Promise<number | null> {
    const known = this.#open.has(name);
    const database = await this.#opened(name);
    if (database === null) return null;
    try {
      return (await database.readSchema()).version;
    } finally {
      if (!known && !database.isUsed) database.close();
    }
  }

  #reading<T>(name: string, { driver: { hasSnapshots } }: SqliteFile, body: () => T): Promise<T> {
    return lookAt({ name, hasSnapshots }, this.#place.locks, body);
  }

  #descriptions(): Description[] {
    const found = this.#names().map((component) => this.#describe(component));
    return found.filter((description) => description !== null);
  }

  #names(): string[] {
    try {
      return fs.readdirSync(this.#path).filter((component) => !component.startsWith(PASSING));
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return [];
      throw error;
    }
  }

  /** Null: it is nothing of ours, or has gone. */
  #describe(component: string): Description | null {
    const description = readDescription(path.join(this.#path, component), this.#describing);
    if (description === null || this.#componentOf(description.name) === component) return description;
    // One from before, unless it was encrypted and is what was left of it.
    const before = this.#before(description.name);
    return before !== null && path.basename(before) === component && !isPlainDirectory(this.#directoryOf(description.name)) ? description : null;
  }

  /** Where a database from before the origin was encrypted is, if there is one. */
  #before(name: string): string | null {
    if (this.#place.bucket.encryption?.allowsPlain !== true) return null;
    const directory = path.join(this.#path, encodeName(name, this.#place.foldsNames).component);
    return isPlainDirectory(directory) ? directory : null;
  }

  async open(name: string): Promise<RecordDatabase | null> {
    const database = await this.#opened(name);
    if (database !== null) database.isUsed = true;
    return database;
  }

  /** One for all, also for those who ask while it is being opened. */
  async #opened(name: string): Promise<SqliteDatabase | null> {
    this.#refuse();
    const known = this.#open.get(name);
    if (known !== undefined) return known;
    const opening = this.#openNew(name);
    this.#open.set(name, opening);
    const database = await opening.catch((error: unknown) => {
      this.#open.delete(name);
      throw error;
    });
    if (database === null) this.#open.delete(name);
    return database;
  }

  #refuse(): void {
    if (this.#place.refusal !== null) throw new RecordsUnavailableError(this.#place.refusal);
  }

  async #openNew(name: string): Promise<SqliteDatabase | null> {
    const home = this.#directoryOf(name);
    const isHome = isPlainDirectory(home);
    const directory = isHome ? home : this.#before(name);
    if (directory === null) return null;
    const description = readDescription(directory, this.#describing);
    if (description?.name !== name) throw new RecordsDamagedError(`${directory} does not say which database it is.`, directory);
    const sealing = isHome ? this.#sealing(name) : undefined;
    const driver = sealing === undefined ? await driverNamed(description.driver) : await driverOn(sealedFiles(sealing));
    const file = new SqliteFile(directory, driver, sealing);
    return this.#reading(name, file, () => this.#databaseAt(name, directory, file));
  }

  #databaseAt(name: string, directory: string, file: SqliteFile): SqliteDatabase {
    const { bucket: { space }, durability, ledger, holds, longMs = LONG_MS } = this.#place;
    const reading = <T>(body: () => T): Promise<T> => this.#reading(name, file, body);
    const onClosed = (): void => void this.#open.delete(name);
    const onReleased = (): void => this.#released();
    const onCheckpoint = (told: LongCheckpoint): void => this.#place.onCheckpoint?.(told);
    const database = new SqliteDatabase({ name, path: directory, durability, ledger, space, holds, reading, onClosed, onReleased, onCheckpoint, longMs }, file);
    database.collectOrphans().catch((cause: unknown) => {
      warn({ code: 'background-failed', message: `Files of ${directory} could not be looked through.`, path: directory, cause });
    });
    return database;
  }

  #directoryOf(name: string): string {
    return path.join(this.#path, this.#componentOf(name));
  }

  #componentOf(name: string): string {
    return this.#sealing(name)?.component ?? encodeName(name, this.#place.foldsNames).component;
  }

  #sealing(name: string): DatabaseSealing | undefined {
    return this.#place.bucket.encryption?.database(name);
  }

  get #describing(): WrittenOnce | undefined {
    return this.#place.bucket.encryption?.descriptions;
  }

  #driverForNew(sealing: DatabaseSealing | undefined): Promise<SqlDriver> {
    return sealing === undefined ? (this.#place.driverForNew ?? driverForNew)() : driverOn(sealedFiles(sealing));
  }

  async encrypt(name: string): Promise<void> {
    const before = this.#before(name);
    if (before === null) return;
    const description = readDescription(before, this.#describing);
    const sealing = this.#sealing(name);
    const home = this.#directoryOf(name);
    if (!isPlainDirectory(home) && description !== null && sealing !== undefined) {
      if (!(await this.#isIdle(name))) throw new RecordsBusyError(before);
      await this.#drafted(async (draft) => {
        await encryptInto(draft, before, description, sealing);
        this.#place.ledger.charge(await weightBelow(draft));
        fs.renameSync(draft, home);
        syncPath(this.#path);
      });
    }
    // What is encrypted is complete, and what is used from now on.
    await this.#deleteNow(before);
  }

  async renew(name: string): Promise<boolean> {
    await this.encrypt(name);
    const home = this.#directoryOf(name);
    const sealing = this.#sealing(name);
    if (sealing === undefined || !isPlainDirectory(home) || (await areCurrent(home, sealing))) return true;
    if (!(await this.#isIdle(name))) return false;
    // Whoever copies it for a backup reads it.
    const claim = this.#place.locks.write(name);
    try {
      await claim.granted;
      return await this.#drafted((draft) => renewFiles(home, name, sealing, draft, (id) => this.#place.holds.isHeld(name, id)));
    } finally {
      claim.release();
    }
  }

  /** Whether nobody has it open; whoever asks has its queue, so it stays so. Who only looks at it is waited for. */
  async #isIdle(name: string): Promise<boolean> {
    if (this.#place.locks.isOpen(name)) return false;
    for (const begin = uptime(); this.#open.has(name) && uptime() - begin < PATIENCE; ) await delay(RETRY_AFTER);
    return !this.#open.has(name);
  }

  async #drafted<T>(body: (draft: string) => Promise<T>): Promise<T> {
    const draft = path.join(this.#path, PASSING + randomUuid());
    try {
      return await body(draft);
    } finally {
      fs.rmSync(draft, { recursive: true, force: true });
    }
  }

  async clear(): Promise<void> {
    const drafts = draftsIn(this.#path);
    const left = drafts.length > 0 && !this.#place.locks.isAnyQueued() ? drafts : [];
    for (const each of [...left, ...deletedIn(this.#path)]) await this.#remove(each);
  }

  async create(name: string): Promise<RecordDatabase> {
    this.#refuse();
    const sealing = this.#sealing(name);
    const driver = await this.#driverForNew(sealing);
    this.#ensure();
    this.#sweep();
    const draft = path.join(this.#path, PASSING + randomUuid());
    try {
      this.#build(draft, name, driver, sealing);
      this.#place.ledger.refund(NEW_BYTES - (await weightBelow(draft)));
      fs.renameSync(draft, this.#directoryOf(name));
    } catch (error) {
      this.#place.ledger.doubt();
      this.#discard(draft);
      throw error;
    }
    if (this.#place.durability === 'strict') syncPath(this.#path);
    const database = await this.open(name);
    if (database === null) throw new RecordsDamagedError(`${this.#directoryOf(name)} has gone while it was made.`);
    return database;
  }

  #ensure(): void {
    this.#place.bucket.ensure();
    for (const directory of [path.dirname(this.#path), this.#path]) {
      if (isPlainDirectory(directory)) continue;
      makeDirectory(directory);
      if (this.#place.durability === 'strict') syncPath(path.dirname(directory));
    }
  }

  #build(draft: string, name: string, driver: SqlDriver, sealing: DatabaseSealing | undefined): void {
    this.#place.ledger.charge(NEW_BYTES);
    fs.mkdirSync(draft, { mode: 0o700 });
    fs.mkdirSync(path.join(draft, 'blobs'), { mode: 0o700 });
    describeDatabase(draft, driver, name, sealing?.description);
    const file = new SqliteFile(draft, driver, sealing);
    file.create(name);
    if (this.#place.durability === 'strict') syncTree(draft);
  }

  /** Drafts of realms that were killed. */
  #sweep(): void {
    for (const name of fs.readdirSync(this.#path)) {
      const draft = path.join(this.#path, name);
      const stats = DRAFT.test(name) ? fs.lstatSync(draft, { throwIfNoEntry: false }) : undefined;
      if (stats !== undefined && wallClock() - stats.mtimeMs > ABANDONED_AFTER) this.#discard(draft);
    }
  }

  async delete(name: string): Promise<void> {
    const database = await this.#open.get(name)?.catch(() => null);
    database?.close();
    // It must not come back as what it was before.
    const before = this.#before(name);
    if (before !== null) await this.#deleteNow(before);
    const directory = this.#directoryOf(name);
    if (isPlainDirectory(directory)) this.#discard(this.#setAside(directory));
  }

  async #deleteNow(directory: string): Promise<void> {
    await this.#remove(this.#setAside(directory));
  }

  #setAside(directory: string): string {
    const gone = path.join(this.#path, deletedName(randomUuid()));
    const mark = this.#place.ledger.mark();
    fs.renameSync(directory, gone);
    this.#place.ledger.moved(mark);
    if (this.#place.durability === 'strict') syncPath(this.#path);
    return gone;
  }

  /** In the background: what is left when the process ends, another sweeps. */
  #discard(directory: string): void {
    this.#remove(directory).catch((cause: unknown) => {
      if (!this.#isClosed) warn({ code: 'background-failed', message: `${directory} could not be deleted.`, path: directory, cause });
    });
  }

  /** All but what somebody still reads. */
  async #remove(directory: string): Promise<void> {
    const mark = this.#place.ledger.mark();
    const { isEmpty, bytes } = await deleteUnheld(directory, this.#place.holds, this.#describing);
    this.#place.ledger.free(bytes, mark);
    await (isEmpty ? removeWhole : removeDatabase)(directory, this.#place.ledger);
  }

  /** A file of a database that is not open was let go, maybe the last that was left of one. Soon there may be more. */
  #released(): void {
    if (this.#isClosed) return;
    this.#sweeping ??= setTimeout(() => {
      this.#sweeping = null;
      if (!this.#isClosed) for (const deleted of deletedIn(this.#path)) this.#discard(deleted);
    }, RELEASED_MS).unref();
  }

  async copyTo(name: string, directory: string): Promise<CopyReport | null> {
    const known = this.#open.has(name);
    const database = await this.#opened(name);
    if (database === null) return null;
    fs.mkdirSync(directory, { mode: 0o700 });
    try {
      const { hasSnapshots } = database;
      return await whileNobodyWrites({ name, hasSnapshots }, this.#place.locks, () => database.copyTo(directory));
    } catch (error) {
      fs.rmSync(directory, { recursive: true, force: true });
      throw error;
    } finally {
      if (!known && !database.isUsed) database.close();
    }
  }

  async adopt(directory: string): Promise<string> {
    this.#refuse();
    const description = readDescription(directory, this.#describing);
    if (description === null) throw new RecordsDamagedError(`${directory} does not say which database it is.`, directory);
    const { name } = description;
    const home = this.#directoryOf(name);
    if (isPlainDirectory(home)) throw new Error(`There is a database '${name}' already.`);
    const sealing = this.#sealing(name);
    makeOneOf(await this.#driverForNew(sealing), directory, description, sealing);
    this.#ensure();
    const bytes = await weightBelow(directory);
    this.#place.ledger.charge(bytes);
    try {
      if (this.#place.durability === 'strict') syncTree(directory);
      fs.renameSync(directory, home);
    } catch (error) {
      this.#place.ledger.refund(bytes);
      throw error;
    }
    if (this.#place.durability === 'strict') syncPath(this.#path);
    return name;
  }

  usage(): Promise<number> {
    return weightBelow(this.#path);
  }

  /** Closes what is open; its transactions have ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const opening of [...this.#open.values()]) (await opening.catch(() => null))?.close();
  }
}
