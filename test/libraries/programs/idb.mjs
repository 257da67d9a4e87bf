// The `idb` package, unmodified. Steps: fill, query, add <who> <times>, hang.
import { openDB } from 'idb';

const [, , step, who, times] = process.argv;
const db = await openDB('library', 1, {
  upgrade(database) {
    const books = database.createObjectStore('books', { keyPath: 'isbn' });
    books.createIndex('author', 'author');
    database.createObjectStore('counters');
  },
});

const steps = {
  async fill() {
    const transaction = db.transaction('books', 'readwrite');
    for (let n = 0; n < 100; n += 1) transaction.store.put({ isbn: n, author: `author ${n % 7}`, published: new Date(n) });
    await transaction.done;
  },
  /** Read and write in one transaction, among processes. */
  async add() {
    for (let n = 0; n < Number(times); n += 1) {
      const transaction = db.transaction('counters', 'readwrite');
      await transaction.store.put(((await transaction.store.get('all')) ?? 0) + 1, 'all');
      await transaction.store.put(n + 1, who);
      await transaction.done;
    }
  },
  async hang() {
    await db.put('counters', 'acknowledged', 'last');
    const transaction = db.transaction('counters', 'readwrite');
    await transaction.store.put('never', 'last');
    console.log('"in the middle"');
    for (;;) await transaction.store.get('last');
  },
  async query() {},
};

await steps[step]();
const byAuthor = await db.getAllFromIndex('books', 'author', 'author 3');
console.log(
  JSON.stringify({
    count: await db.count('books'),
    byAuthor: byAuthor.map(({ isbn }) => isbn),
    published: byAuthor[0]?.published instanceof Date,
    all: (await db.get('counters', 'all')) ?? 0,
    last: (await db.get('counters', 'last')) ?? null,
  }),
);
db.close();
