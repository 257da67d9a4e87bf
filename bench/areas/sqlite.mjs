// SQLite's own build for browsers on an origin's files (opfs-sahpool), beside the SQLite that Node brings along.
export const contestants = ['sqlite', 'holdfast', 'chromium'];
export const scope = 'worker';

const rows = 1000;

export const works = [
  { id: 'insert', label: `insert a row, ${rows} a transaction`, chart: `SQLite: insert a row, ${rows} a transaction`, per: rows, durability: 'on the disk' },
  { id: 'commit', label: 'insert a row, one a transaction', durability: 'on the disk' },
  { id: 'select', label: 'select by key, of 100,000 rows' },
];

export async function operations({ openDatabase }) {
  const db = await openDatabase();
  db.exec('CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL, amount INTEGER NOT NULL)');
  const insert = db.writer('INSERT INTO item (name, amount) VALUES (?, ?)');
  const select = db.reader('SELECT amount FROM item WHERE id = ?');
  let counter = 0;
  const insertRows = (count) => {
    for (let i = 0; i < count; i += 1) insert(`item number ${(counter += 1)}`, counter);
  };
  const inTransaction = (work) => {
    db.exec('BEGIN');
    work();
    db.exec('COMMIT');
  };
  inTransaction(() => insertRows(100_000));
  return {
    insert: (n) => {
      for (let i = 0; i < n; i += 1) inTransaction(() => insertRows(rows));
    },
    commit: (n) => insertRows(n),
    select: (n) => {
      for (let i = 0; i < n; i += 1) {
        const id = 1 + ((i * 7919) % 100_000);
        if (select(id) !== id) throw new Error(`row ${id} is not itself`);
      }
    },
  };
}
