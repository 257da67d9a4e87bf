import process from 'node:process';
import { runtime } from '../../runtime/runtime.ts';
import { bunDriver, type BunSqlite } from './bun-driver.ts';
import { nodeDriver, type NodeSqlite } from './node-driver.ts';
import { RecordsUnavailableError } from './records-error.ts';
import type { DriverName, SqlDriver } from './sql-driver.ts';

/** A name that the type checker and the bundler do not look for. */
const BUN_SQLITE: string = 'bun:sqlite';

let builtIn: Promise<SqlDriver | null> | undefined;

/** The runtime's own SQLite; null where it has none, as Node before 22.13. */
function builtInDriver(): Promise<SqlDriver | null> {
  return (builtIn ??= loadBuiltIn());
}

async function loadBuiltIn(): Promise<SqlDriver | null> {
  if (runtime === 'bun') return bunDriver((await import(BUN_SQLITE)) as BunSqlite);
  const sqlite = withoutWarning(() => process.getBuiltinModule('node:sqlite') as NodeSqlite | undefined);
  return sqlite === undefined ? null : nodeDriver(sqlite);
}

/** Node 22 says of its SQLite that it is an experiment: nothing that a program which uses us could do anything about. */
function withoutWarning<T>(load: () => T): T {
  const { emitWarning } = process;
  process.emitWarning = ((warning: unknown, ...rest: unknown[]) => {
    if (!String(warning).startsWith('SQLite is an experimental feature')) Reflect.apply(emitWarning, process, [warning, ...rest]);
  }) as typeof emitWarning;
  try {
    return load();
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** The driver that a new database gets here. @throws RecordsUnavailableError */
export async function driverForNew(): Promise<SqlDriver> {
  return (await builtInDriver()) ?? driverNamed('wasm');
}

/** The driver of a database that is there. @throws RecordsUnavailableError */
export async function driverNamed(name: DriverName): Promise<SqlDriver> {
  const driver = name === 'built-in' ? await builtInDriver() : null;
  if (driver !== null) return driver;
  throw new RecordsUnavailableError('This runtime has no SQLite of its own: IndexedDB needs Node 22.13 or later, Deno or Bun.');
}
