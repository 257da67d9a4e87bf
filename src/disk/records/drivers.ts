import process from 'node:process';
import { isShortage } from '../../runtime/descriptors.ts';
import { errorCode, errorMessage } from '../../runtime/errors.ts';
import { runtime } from '../../runtime/runtime.ts';
import { bunDriver, type BunSqlite } from './bun-driver.ts';
import { nodeDriver, type NodeSqlite } from './node-driver.ts';
import { RecordsUnavailableError } from './records-error.ts';
import type { DriverName, SqlDriver } from './sql-driver.ts';
import type { WasmDriver } from './wasm-driver.ts';
import type { ByteFiles } from './wasm-files.ts';
import type { Sqlite3Module } from './wasm-types.ts';

/** Names that the type checker and the bundler do not look for. */
const BUN_SQLITE: string = 'bun:sqlite';
const PEER: string = '@sqlite.org/sqlite-wasm';

/** Which of them all tests run with. */
const PEER_VERSION = '3.54.1-build1';

let builtIn: Promise<SqlDriver | null> | undefined;

/** The runtime's own SQLite; null where it has none, as Node before 22.13. */
export function builtInDriver(): Promise<SqlDriver | null> {
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

/** The same in WebAssembly, by an optional peer; `why` it has to be that. @throws RecordsUnavailableError */
async function wasm(why = unlikeBuiltIn()): Promise<WasmDriver> {
  try {
    return await (loadingWasm ??= loadWasm(why));
  } catch (error) {
    loadingWasm = undefined;
    throw error;
  }
}

let loadingWasm: Promise<WasmDriver> | undefined;

async function loadWasm(why: string): Promise<WasmDriver> {
  const { wasmDriver } = await import('./wasm-driver.ts');
  return await wasmDriver(await peer(why));
}

/** There are versions, and registries that give them to whoever names none, whose module fails outside of browsers. */
async function peer(why: string): Promise<Sqlite3Module> {
  try {
    return (await import(PEER)) as Sqlite3Module;
  } catch (error) {
    if (isShortage(error)) throw error;
    const isMissing = errorCode(error) === 'ERR_MODULE_NOT_FOUND' || errorMessage(error).includes(PEER);
    const needs = `${why}: IndexedDB needs the package ${PEER} here, ${PEER_VERSION} or later.`;
    throw new RecordsUnavailableError(`${needs} ${isMissing ? 'Install it.' : `What is installed fails to load (${errorMessage(error)}).`}`, { cause: error });
  }
}

function unlikeBuiltIn(): string {
  return runtime === 'node' ? `Node ${process.versions.node} has no SQLite of its own` : 'This database was made without the SQLite of a runtime';
}

/** The driver of a database whose files are encrypted, on every runtime. @throws RecordsUnavailableError */
export async function driverOn(files: ByteFiles): Promise<SqlDriver> {
  return (await wasm("A runtime's own SQLite encrypts nothing, and this origin is encrypted")).on(files);
}

/** The driver that a new database gets here. @throws RecordsUnavailableError */
export async function driverForNew(): Promise<SqlDriver> {
  return (await builtInDriver()) ?? wasm();
}

/** The driver of a database that is there. @throws RecordsUnavailableError */
export async function driverNamed(name: DriverName): Promise<SqlDriver> {
  if (name === 'wasm') return wasm();
  const driver = await builtInDriver();
  if (driver !== null) return driver;
  throw new RecordsUnavailableError("This database was made with a runtime's own SQLite, which Node has from 22.13 on, and Deno and Bun: it needs one of these.");
}
