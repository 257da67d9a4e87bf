// Bare SQLite behind requests: an object for each, and for each result an event in a task of its own, behind which the
// microtasks run; transactions one after another. That is what the shape of the standard's interface takes at least. It has
// nothing else of it: keys are numbers, values JSON; no checks, clones, errors, scopes, aborts, other processes.
import { join } from 'node:path';

const { _tickCallback: runMicrotasks } = process;

/** Tasks: all that wait are run in one turn of the event loop, with the microtasks of each behind it. */
const tasks = [];
function task(body) {
  if (tasks.push(body) === 1) setImmediate(runTasks);
}
function runTasks() {
  for (let index = 0; index < tasks.length; index += 1) {
    tasks[index]();
    runMicrotasks();
  }
  tasks.length = 0;
}

class Request {
  onsuccess = null;
  onerror = null;
  result = undefined;
  constructor(work) {
    this.work = work;
  }
  succeed() {
    this.onsuccess?.(new Event('success'));
  }
}

class Transaction {
  oncomplete = null;
  onabort = null;
  requests = [];
  isBegun = false;
  constructor(database, mode) {
    this.database = database;
    this.begin = mode === 'readwrite' ? 'BEGIN IMMEDIATE' : 'BEGIN';
  }
  objectStore(name) {
    return new Store(this, this.database.statements[name]);
  }
  ask(work) {
    const request = new Request(work);
    if (this.requests.push(request) === 1 && this.database.current === this) this.go();
    return request;
  }
  /** Its turn has come, or it has more to do. */
  go() {
    task(() => this.#next());
  }
  #next() {
    if (!this.isBegun) this.database.run(this.begin);
    this.isBegun = true;
    const request = this.requests[0];
    request.result = request.work();
    request.succeed();
    task(() => this.#after());
  }
  #after() {
    this.requests.shift();
    if (this.requests.length > 0) return this.#next();
    this.database.run('COMMIT');
    this.oncomplete?.(new Event('complete'));
    this.database.left();
  }
}

class Store {
  constructor(transaction, statements) {
    this.transaction = transaction;
    this.statements = statements;
  }
  put(value) {
    return this.transaction.ask(() => this.statements.put(value));
  }
  get(key) {
    return this.transaction.ask(() => JSON.parse(this.statements.get.get(key).v));
  }
  getAll() {
    return this.transaction.ask(() => this.statements.all.all().map(({ v }) => JSON.parse(v)));
  }
  index() {
    return { get: (key) => this.transaction.ask(() => JSON.parse(this.statements.byName.get(key).v)) };
  }
  openCursor() {
    const rows = this.statements.all.iterate();
    const next = () => {
      const { done, value } = rows.next();
      return done ? null : { key: value.id, value: JSON.parse(value.v), continue: () => this.transaction.requests.push(request) };
    };
    const request = this.transaction.ask(next);
    return request;
  }
}

class Database {
  current = null;
  #waiting = [];
  constructor(db) {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    db.exec('CREATE TABLE plain (id INTEGER PRIMARY KEY, v TEXT); CREATE TABLE indexed (id INTEGER PRIMARY KEY, name TEXT, v TEXT)');
    db.exec('CREATE INDEX names ON indexed (name)');
    const commands = Object.fromEntries(['BEGIN', 'BEGIN IMMEDIATE', 'COMMIT'].map((text) => [text, db.prepare(text)]));
    this.run = (text) => commands[text].run();
    const plain = db.prepare('INSERT INTO plain VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET v = excluded.v');
    const indexed = db.prepare('INSERT INTO indexed VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name, v = excluded.v');
    const reading = (table) => ({ get: db.prepare(`SELECT v FROM ${table} WHERE id = ?`), all: db.prepare(`SELECT id, v FROM ${table} ORDER BY id`) });
    this.statements = {
      plain: { ...reading('plain'), put: (value) => plain.run(value.id, JSON.stringify(value)) },
      indexed: {
        ...reading('indexed'),
        put: (value) => indexed.run(value.id, value.name, JSON.stringify(value)),
        byName: db.prepare('SELECT v FROM indexed WHERE name = ? ORDER BY id LIMIT 1'),
      },
    };
  }
  createObjectStore() {
    return { createIndex: () => undefined };
  }
  transaction(_, mode) {
    const transaction = new Transaction(this, mode);
    if (this.current === null) this.current = transaction;
    else this.#waiting.push(transaction);
    return transaction;
  }
  left() {
    this.current = this.#waiting.shift() ?? null;
    if (this.current !== null && this.current.requests.length > 0) this.current.go();
  }
}

export async function open(root) {
  const { DatabaseSync } = await import('node:sqlite');
  const database = new Database(new DatabaseSync(join(root, 'limit.db')));
  const openIt = () => {
    const request = new Request();
    request.result = database;
    task(() => {
      request.onupgradeneeded(new Event('upgradeneeded'));
      request.succeed();
    });
    return request;
  };
  return { indexedDB: { open: openIt }, isBare: true };
}
