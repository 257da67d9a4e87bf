// The statements that the works come down to, on the runtime's own SQLite, with the values as JSON.
import { join } from 'node:path';
import { record, rows } from '../areas/indexed-db.mjs';

const spread = (i) => (i * 7919) % rows;

export async function operations(root) {
  const { DatabaseSync } = await import('node:sqlite');
  const db = new DatabaseSync(join(root, 'limit.db'));
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  db.exec('CREATE TABLE plain (id INTEGER PRIMARY KEY, v TEXT); CREATE TABLE indexed (id INTEGER PRIMARY KEY, name TEXT, v TEXT)');
  db.exec('CREATE INDEX names ON indexed (name)');
  const put = db.prepare('INSERT INTO plain VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET v = excluded.v');
  const putIndexed = db.prepare('INSERT INTO indexed VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name, v = excluded.v');
  const get = db.prepare('SELECT v FROM plain WHERE id = ?');
  const all = db.prepare('SELECT v FROM plain ORDER BY id');
  const byName = db.prepare('SELECT v FROM indexed WHERE name = ? ORDER BY id LIMIT 1');
  const within = (begin, work) => {
    db.exec(begin);
    work();
    db.exec('COMMIT');
  };
  const putOne = (id) => put.run(id, JSON.stringify(record(id)));
  const putOneIndexed = (id) => {
    const value = record(id);
    putIndexed.run(id, value.name, JSON.stringify(value));
  };
  const read = (id) => JSON.parse(get.get(id).v);
  within('BEGIN IMMEDIATE', () => {
    for (let id = 0; id < rows; id += 1) (putOne(id), putOneIndexed(id));
  });
  const times = (work) => (n) => {
    for (let i = 0; i < n; i += 1) work(i);
  };
  const hundred = (work) => times((i) => within('BEGIN', () => times((j) => work(i + j))(100)));
  return {
    put: times((i) => within('BEGIN IMMEDIATE', () => putOne(spread(i)))),
    get: times((i) => within('BEGIN', () => read(spread(i)))),
    getChained: hundred((i) => read(spread(i))),
    getParallel: hundred((i) => read(spread(i))),
    putMany: times((i) => within('BEGIN IMMEDIATE', () => times((j) => putOneIndexed(spread(i * 1000 + j)))(1000))),
    cursor: times(() => {
      for (const { v } of all.iterate()) JSON.parse(v);
    }),
    getAll: times(() => all.all().map(({ v }) => JSON.parse(v))),
    indexGet: hundred((i) => JSON.parse(byName.get(`name ${i % 500}`).v)),
  };
}
