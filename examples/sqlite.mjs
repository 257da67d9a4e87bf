// A SQL database in an origin's private files: SQLite's own build for browsers, as it is on npm.
//
//   npm install @sqlite.org/sqlite-wasm
//   node --import holdfast/globals examples/sqlite.mjs
import { readFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * Opens a database. One process at a time may have a pool open; its files are locked until the process ends, however it
 * ends. What was committed is kept.
 */
export async function openDatabase(name) {
  const sqlite3 = await loadSqlite();
  const pool = await sqlite3.installOpfsSAHPoolVfs({ directory: '/sqlite' });
  return new pool.OpfsSAHPoolDb(`/${name}`);
}

/** The package's `node` entry has no file system of browsers in it, so the browsers' entry is named by its file. */
export async function loadSqlite() {
  // These two need a worker of a browser's kind; the pool does not.
  globalThis.sqlite3ApiConfig = { disable: { vfs: { opfs: true, 'opfs-wl': true } } };
  const wasm = import.meta.resolve('@sqlite.org/sqlite-wasm/sqlite3.wasm');
  const { default: init } = await import(new URL('index.mjs', wasm).href);
  return init({ wasmBinary: await readFile(fileURLToPath(wasm)) });
}

// Run as a program, it counts its runs.
if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const db = await openDatabase('runs.db');
  db.exec('CREATE TABLE IF NOT EXISTS run (at TEXT NOT NULL)');
  db.exec({ sql: 'INSERT INTO run VALUES (?)', bind: [new Date().toISOString()] });
  console.log(db.selectObjects('SELECT count(*) AS runs, min(at) AS first FROM run'));
  db.close();
}
