// One step of a program's life with a SQL database in the origin's files. argv: the step.
import process from 'node:process';
import { openDatabase } from '../../../examples/sqlite.mjs';

const db = await openDatabase('app.db');
const one = (sql) => db.selectValue(sql);
const say = (message) => console.log(JSON.stringify(message));

const steps = {
  /** 100,000 rows in transactions of 1,000. */
  fill() {
    db.exec('CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL, weight REAL)');
    const insert = db.prepare('INSERT INTO item (name, weight) VALUES (?, ?)');
    for (let batch = 0; batch < 100; batch++) {
      db.transaction(() => {
        for (let row = 0; row < 1000; row++) insert.bind([`item ${batch * 1000 + row}`, row / 2]).stepReset();
      });
    }
    insert.finalize();
    db.exec('CREATE INDEX by_name ON item (name)');
  },

  query: () => undefined,

  change: () => db.exec("INSERT INTO item (name, weight) VALUES ('one more', 1)"),

  /** Changes everything inside a transaction that outgrows the cache, says so, and never commits. */
  async hang() {
    db.exec('PRAGMA cache_size = 10; BEGIN; UPDATE item SET weight = -1; DELETE FROM item WHERE id % 2');
    say({ inside: one('SELECT count(*) FROM item') });
    await new Promise((resolve) => setTimeout(resolve, 2 ** 30));
  },
};

await steps[process.argv[2]]();
say({
  rows: one('SELECT count(*) FROM item'),
  sum: one('SELECT sum(weight) FROM item'),
  found: one("SELECT id FROM item WHERE name = 'item 77777'"),
  integrity: one('PRAGMA integrity_check'),
});
db.close();
