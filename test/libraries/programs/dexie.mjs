// Dexie, unmodified, told where IndexedDB is. Steps: fill, query, add <times>, watch, await <name>, name <name>.
import Dexie, { liveQuery } from 'dexie';

const [, , step, times] = process.argv;
const db = new Dexie('friends', { indexedDB, IDBKeyRange });
db.version(1).stores({ friends: '++id, &name, age, *tags', counters: '' });

const steps = {
  async fill() {
    await db.friends.bulkAdd(Array.from({ length: 50 }, (_, n) => ({ name: `friend ${n}`, age: 20 + (n % 30), tags: [`tag ${n % 3}`, 'all'] })));
  },
  async add() {
    for (let n = 0; n < Number(times); n += 1) {
      await db.transaction('rw', db.counters, async () => db.counters.put(((await db.counters.get('all')) ?? 0) + 1, 'all'));
    }
  },
  /** A live query hears of this realm's own changes. */
  watch: () =>
    new Promise((resolve, reject) => {
      const seen = [];
      const subscription = liveQuery(() => db.friends.where('age').above(40).count()).subscribe({
        error: reject,
        next: (count) => {
          seen.push(count);
          if (seen.length === 1) void db.friends.add({ name: 'a late one', age: 99, tags: [] });
          if (seen.length < 2) return;
          subscription.unsubscribe();
          resolve();
        },
      });
    }),
  /** A live query hears of what another process does, too, by the BroadcastChannel that Dexie finds among the globals. */
  await: () =>
    new Promise((resolve, reject) => {
      // Dexie's channel keeps no process alive, nor does an open database.
      const alive = setInterval(() => undefined, 1000);
      const subscription = liveQuery(() => db.friends.where('name').equals(times).count()).subscribe({
        error: reject,
        next: (count) => {
          console.log(JSON.stringify(count));
          if (count === 0) return;
          clearInterval(alive);
          subscription.unsubscribe();
          resolve();
        },
      });
    }),
  name: () => db.friends.add({ name: times, age: 50, tags: [] }),
  async query() {},
};

await steps[step]();
console.log(
  JSON.stringify({
    count: await db.friends.count(),
    young: await db.friends.where('age').below(25).count(),
    tagged: await db.friends.where('tags').equals('tag 1').count(),
    oldest: (await db.friends.orderBy('age').last())?.age ?? null,
    all: (await db.counters.get('all')) ?? 0,
  }),
);
db.close();
