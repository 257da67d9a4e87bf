import { nextTurn, uptime } from '../../runtime/timers.ts';
import { RecordsDamagedError } from './records-error.ts';
import type { SqlConnection, SqlRow, SqlStatement, SqlValue } from './sql-driver.ts';
import type { SqlSession } from './sql-session.ts';
import type { SqliteFile } from './sqlite-file.ts';

/** How long a copy may hold the event loop, in milliseconds, and rows that are read at once. */
const SLICE_MS = 4;
const ROWS = 64;

/** What `CREATE` statements of ours begin with. */
const CREATE = /^CREATE (TABLE|INDEX) (?=[a-z]+[0-9]*[( ])/;

interface Table {
  readonly name: string;
  /** The columns that order its rows, and what is before the first row. */
  readonly order: string;
  readonly before: readonly SqlValue[];
}

/**
 * Copies all rows of a database into a new file of another driver, or under other keys: what SQLite itself cannot do, for
 * it would have to open both. Nobody uses the new one before that resolves.
 *
 * @throws RecordsDamagedError, OverQuotaError where the disk is full
 */
export async function copyAnew(session: SqlSession, target: SqliteFile): Promise<void> {
  target.createEmpty();
  const copy = target.openNew();
  try {
    copy.exec('PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF');
    session.begin(false);
    for (const table of createTables(session, copy)) await copyTable(session, copy, table);
    session.commit();
  } catch (error) {
    session.rollback();
    throw error;
  } finally {
    copy.close();
  }
  target.complete();
}

function createTables(session: SqlSession, copy: SqlConnection): Table[] {
  const schema = session.by("SELECT sql, type, name, sql LIKE '%WITHOUT ROWID' FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid").all();
  for (const [sql] of schema) {
    if (typeof sql !== 'string' || !CREATE.test(sql)) throw new RecordsDamagedError('A database has a table that no database has.');
    copy.exec(sql);
  }
  return schema.filter(([, type]) => type === 'table').map(([, , name, isByKey]) => tableOf(String(name), isByKey === 1));
}

function tableOf(name: string, isByKey: boolean): Table {
  if (name === 'meta') return { name, order: 'k', before: [''] };
  return isByKey ? { name, order: 'k, p', before: ['', ''] } : { name, order: 'id', before: [0] };
}

async function copyTable(session: SqlSession, copy: SqlConnection, { name, order, before }: Table): Promise<void> {
  const places = before.map(() => '?').join(', ');
  const some = session.by(`SELECT ${order}, * FROM ${name} WHERE (${order}) > (${places}) ORDER BY ${order} LIMIT ${ROWS}`);
  const insert = inserter(copy, name);
  let end = uptime() + SLICE_MS;
  for (let after = before; ; ) {
    const rows = some.all(...after);
    insert(rows.map((row) => row.slice(before.length)));
    if (rows.length < ROWS) return;
    after = rows[rows.length - 1]?.slice(0, before.length) ?? before;
    if (uptime() < end) continue;
    await nextTurn();
    end = uptime() + SLICE_MS;
  }
}

function inserter(copy: SqlConnection, table: string): (rows: readonly SqlRow[]) => void {
  let statement: SqlStatement | undefined;
  return (rows) => {
    copy.exec('BEGIN');
    for (const row of rows) (statement ??= copy.prepare(`INSERT INTO ${table} VALUES (${row.map(() => '?').join(', ')})`)).run(...row);
    copy.exec('COMMIT');
  };
}
