import fs from 'node:fs';
import path from 'node:path';
import type { BucketPlace } from '../place.ts';
import type { DatabaseCopy as Copy } from '../records/database-copy.ts';
import type { WriterClaim } from '../records/database-locks.ts';
import type { Description } from '../records/description.ts';
import type { SqlDriver } from '../records/sql-driver.ts';
import type { SqlSession } from '../records/sql-session.ts';
import type { SqliteFile } from '../records/sqlite-file.ts';
import type { WrittenOnce } from '../tree/sealing.ts';
import type { BucketLocks } from '../records/locks/bucket-locks.ts';
import { factsOf, isFresh } from './file-facts.ts';
import { Moved, type Part } from './part.ts';

/** The code of databases, which is loaded where there are any. */
export interface DatabaseCode {
  readonly SqliteFile: typeof SqliteFile;
  readonly DatabaseCopy: typeof Copy;
  readonly BucketLocks: typeof BucketLocks;
  readDescription(directory: string, sealing?: WrittenOnce): Description | null;
  driverNamed(name: Description['driver']): Promise<SqlDriver>;
}

/** Files by which it is seen whether anything was written. SQLite's own process never opens them beside it; neither do we. */
const FILES = ['db', 'db-wal', 'db-journal'];

/** What the files of a database say of its state; null where one was written to so late that a later write may not show. */
export function markOf(directory: string, now: number): string | null {
  const facts = FILES.map((name) => factsOf(path.join(directory, name)));
  if (facts.some((each) => each !== null && isFresh(each, now))) return null;
  return facts.map((each) => (each === null ? '' : `${each.ino}-${each.size}-${each.mtime}`)).join('/');
}

/** A database that was not written to since the backup before. */
export class RestingDatabase implements Part {
  readonly #directory: string;
  readonly #mark: string;

  constructor(directory: string, mark: string) {
    this.#directory = directory;
    this.#mark = mark;
  }

  position(): string {
    if (markOf(this.#directory, Infinity) !== this.#mark) throw new Moved(this.#directory);
    return this.#mark;
  }

  settle(): boolean {
    return true;
  }
}

/** A database as one transaction sees it, from before the moment until it is copied. */
export class DatabasePart implements Part {
  readonly directory: string;
  readonly #code: DatabaseCode;
  readonly #description: Description;
  readonly #locks: BucketLocks | null;
  #claim: WriterClaim | null = null;
  #session: SqlSession | null = null;
  #watcher: SqlSession | null = null;
  #copy: Copy | null = null;
  #commits = -1;

  constructor(directory: string, description: Description, code: DatabaseCode, bucket: BucketPlace) {
    this.directory = directory;
    this.#description = description;
    this.#code = code;
    this.#locks = description.driver === 'wasm' ? new code.BucketLocks(bucket) : null;
  }

  /** Opens it, with a copy in a directory that is there and empty. */
  async open(target: string): Promise<void> {
    const driver = await this.#code.driverNamed(this.#description.driver);
    // Without snapshots, nobody writes until the copy is made.
    this.#claim = this.#locks?.read(this.#description.name) ?? null;
    await this.#claim?.granted;
    const file = new this.#code.SqliteFile(this.directory, driver);
    this.#session = file.open();
    if (this.#claim === null) this.#watcher = file.open();
    this.#copy = new this.#code.DatabaseCopy(this.#session, file, target);
    this.#copy.prepare();
  }

  /** Begins what is copied anew where somebody has committed since. */
  position(): number {
    if (this.#claim?.isLost === true) throw new Moved(this.directory);
    const commits = this.#watcher?.commitsOfOthers() ?? 0;
    if (commits !== this.#commits) {
      this.#session?.rollback();
      this.#session?.begin(false);
      // One between the two calls would be taken for older than what is seen: it shows the next time.
      this.#commits = commits;
    }
    return commits;
  }

  settle(): boolean {
    return true;
  }

  /** Copies what it was at the moment. @throws Moved when it was deleted meanwhile */
  async take(): Promise<void> {
    const report = await this.#copy?.copy();
    const wasLost = this.#claim?.isLost === true;
    this.#closeSessions();
    if (wasLost || (report !== undefined && report.missing.length > 0 && !fs.existsSync(this.directory))) throw new Moved(this.directory);
    this.#copy?.complete(this.#description.name);
  }

  #closeSessions(): void {
    this.#session?.close();
    this.#watcher?.close();
    this.#session = this.#watcher = null;
    this.#claim?.release();
    this.#claim = null;
  }

  async close(): Promise<void> {
    this.#closeSessions();
    await this.#locks?.close();
  }
}
