// One step of a program's life with a SQL database in localStorage. argv: the step.
import { createHash } from 'node:crypto';
import process from 'node:process';
import { openLocalStorageDatabase } from '../../../examples/sqlite-local-storage.mjs';

const say = (message) => console.log(JSON.stringify(message));
/** All that is in localStorage, in one word. */
const itemsNow = () => createHash('sha256').update(JSON.stringify(Object.entries(localStorage))).digest('hex');

const itemsAtStart = itemsNow();
const db = await openLocalStorageDatabase();

const steps = {
  fill() {
    db.exec('CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL)');
    db.transaction(() => {
      for (let row = 0; row < 2000; row++) db.exec({ sql: 'INSERT INTO item (name) VALUES (?)', bind: [`item ${row}`] });
    });
  },

  query: () => undefined,

  /**
   * Changes everything inside a transaction, says so, and never commits. It fits into the cache: one that does not leaves
   * pages of both states among the items, which kvvfs itself cannot put right, whatever keeps the items.
   */
  async hang() {
    db.exec("BEGIN; UPDATE item SET name = 'changed'");
    say({ changed: count("WHERE name = 'changed'"), items: itemsNow() });
    await new Promise((resolve) => setTimeout(resolve, 2 ** 30));
  },
};

function count(which = '') {
  return db.selectValue(`SELECT count(*) FROM item ${which}`);
}

await steps[process.argv[2]]();
say({ rows: count(), unchanged: count("WHERE name LIKE 'item %'"), integrity: db.selectValue('PRAGMA integrity_check'), itemsAtStart });
db.close();
