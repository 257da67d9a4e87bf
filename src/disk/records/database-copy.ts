import fs from 'node:fs';
import path from 'node:path';
import { nextTurn, uptime } from '../../runtime/timers.ts';
import { systemCode } from '../journal/disk-error.ts';
import { describeDatabase } from './description.ts';
import type { CopyReport, Steps } from './record-database.ts';
import { RecordsDamagedError } from './records-error.ts';
import type { SqlValue } from './sql-driver.ts';
import type { SqlSession } from './sql-session.ts';
import { SqliteFile } from './sqlite-file.ts';

/** How long a copy may hold the event loop, in milliseconds. */
const SLICE_MS = 4;

/** Rows that are copied in one step, as it turns out how large they are. */
const FIRST_ROWS = 64;
const MOST_ROWS = 1024;

/** Files that are linked at once. */
const LINKED_AT_ONCE = 64;

/** What `CREATE` statements of ours begin with. */
const CREATE = /^CREATE (TABLE|INDEX) (?=[a-z]+[0-9]*[( ])/;

/**
 * Copies what a session sees, and the files that this refers to, into a directory that is there and empty. Invariants
 * - All of it is read in one transaction, so it is one state, and its files stay until they are linked.
 * - Nothing of the copy is where others look for databases; who made the directory removes it when this fails.
 */
export class DatabaseCopy {
  readonly #session: SqlSession;
  readonly #from: string;
  readonly #to: string;
  readonly #target: SqliteFile;
  #rows = FIRST_ROWS;

  /** `session` is the copy's own; whoever opened it closes it before the copy is completed. */
  constructor(session: SqlSession, source: SqliteFile, directory: string) {
    this.#session = session;
    this.#from = path.dirname(source.path);
    this.#to = directory;
    this.#target = new SqliteFile(directory, source.driver, source.sealing);
  }

  async make(): Promise<CopyReport> {
    this.prepare();
    this.#session.begin(false);
    return await this.copy();
  }

  /** Makes the copy, with nothing in it yet. The session has no transaction then. */
  prepare(): void {
    this.#target.createEmpty();
    this.#session.connection.prepare('ATTACH ? AS copy').run(this.#target.path);
    this.#session.connection.exec('PRAGMA copy.journal_mode = MEMORY; PRAGMA copy.synchronous = OFF');
  }

  /** Copies what the session's transaction sees, and ends it. */
  async copy(): Promise<CopyReport> {
    await inSlices(this.#copyTables());
    const missing = await this.#linkFiles();
    this.#session.commit();
    return { missing };
  }

  /** Makes it a database like any other. */
  complete(name: string): void {
    this.#target.complete();
    describeDatabase(this.#to, this.#target.driver, name, this.#target.sealing?.description);
  }

  *#copyTables(): Steps<void> {
    const schema = this.#session.by("SELECT sql, type, name, sql LIKE '%WITHOUT ROWID' FROM main.sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid").all();
    for (const [sql] of schema) this.#session.connection.exec(this.#inCopy(sql));
    for (const [, type, name, isByKey] of schema) {
      if (type !== 'table') continue;
      if (name === 'meta') this.#session.connection.exec('INSERT INTO copy.meta SELECT * FROM main.meta');
      else yield* isByKey === 1 ? this.#copyIndex(String(name)) : this.#copyRows(String(name));
    }
  }

  #inCopy(sql: SqlValue | undefined): string {
    if (typeof sql === 'string' && CREATE.test(sql)) return sql.replace(CREATE, 'CREATE $1 copy.');
    throw new RecordsDamagedError(`${this.#from} has a table that no database has.`, this.#from);
  }

  *#copyRows(table: string): Steps<void> {
    const some = this.#session.by(`INSERT INTO copy.${table} SELECT * FROM main.${table} WHERE id > ? ORDER BY id LIMIT ?`);
    const last = this.#session.by(`SELECT max(id) FROM copy.${table}`);
    for (let after: SqlValue = 0; this.#fill((rows) => some.run(after, rows)); after = last.get()?.[0] ?? 0) yield;
  }

  *#copyIndex(table: string): Steps<void> {
    const some = this.#session.by(`INSERT INTO copy.${table} SELECT * FROM main.${table} WHERE (k, p) > (?, ?) ORDER BY k, p LIMIT ?`);
    const last = this.#session.by(`SELECT k, p FROM copy.${table} ORDER BY k DESC, p DESC LIMIT 1`);
    let [key, primaryKey]: readonly (SqlValue | undefined)[] = ['', ''];
    while (this.#fill((rows) => some.run(key ?? '', primaryKey ?? '', rows))) {
      [key, primaryKey] = last.get() ?? [];
      yield;
    }
  }

  /** Copies some rows, and chooses how many the next time. @returns whether there may be more */
  #fill(copy: (rows: number) => number): boolean {
    const rows = this.#rows;
    const begin = uptime();
    const copied = copy(rows);
    const took = uptime() - begin;
    if (took > SLICE_MS / 2) this.#rows = Math.max(1, rows >> 1);
    else if (took < SLICE_MS / 8) this.#rows = Math.min(MOST_ROWS, 2 * rows);
    return copied === rows;
  }

  /** @returns those that are not there */
  async #linkFiles(): Promise<number[]> {
    fs.mkdirSync(path.join(this.#to, 'blobs'), { mode: 0o700 });
    const missing: number[] = [];
    const some = this.#session.by(`SELECT id FROM main.blobs WHERE id > ? ORDER BY id LIMIT ${LINKED_AT_ONCE}`);
    for (let ids: number[] = [0]; ids.length > 0; ) {
      ids = some.all(ids[ids.length - 1] ?? 0).map(([id]) => id as number);
      const linked = await Promise.all(ids.map((id) => this.#link(String(id))));
      missing.push(...ids.filter((_, nth) => linked[nth] === false));
    }
    return missing;
  }

  /** A file is never written again, so one with two names is as good as two. @returns whether it is there */
  async #link(id: string): Promise<boolean> {
    const [from, to] = [this.#from, this.#to].map((directory) => path.join(directory, 'blobs', id)) as [string, string];
    try {
      await fs.promises.link(from, to);
      return true;
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return false;
      // Another volume, or one without links.
      await fs.promises.copyFile(from, to, fs.constants.COPYFILE_FICLONE);
      return true;
    }
  }
}

async function inSlices(steps: Steps<void>): Promise<void> {
  for (;;) {
    const end = uptime() + SLICE_MS;
    do {
      if (steps.next().done === true) return;
    } while (uptime() < end);
    await nextTurn();
  }
}
