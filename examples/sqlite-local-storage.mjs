// A small SQL database inside `localStorage`, as SQLite's build for browsers keeps one there (kvvfs): each page of it is
// an item. Good for up to a few megabytes; examples/sqlite.mjs is for more.
//
//   npm install @sqlite.org/sqlite-wasm
//   node --import holdfast/globals examples/sqlite-local-storage.mjs
import { pathToFileURL } from 'node:url';
import { loadSqlite } from './sqlite.mjs';

export async function openLocalStorageDatabase() {
  const sqlite3 = await loadSqlite();
  return new sqlite3.oo1.JsStorageDb('local');
}

// Run as a program, it counts its runs.
if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const db = await openLocalStorageDatabase();
  db.exec('CREATE TABLE IF NOT EXISTS run (at TEXT NOT NULL)');
  db.exec({ sql: 'INSERT INTO run VALUES (?)', bind: [new Date().toISOString()] });
  console.log(db.selectObjects('SELECT count(*) AS runs, min(at) AS first FROM run'), Object.keys(localStorage));
  db.close();
}
