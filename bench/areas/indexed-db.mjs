// IndexedDB: single records in transactions of their own, many in one, and iteration. `limit` is the runtime's own SQLite
// doing the same statements on the same bytes, without keys, clones, events or other processes; and the same with an object,
// an event and a task for each request.
export const contestants = ['limit', 'limit-requests', 'holdfast', 'fake-indexeddb', 'indexeddbshim', 'chromium'];
export const scope = 'worker';

export const rows = 10_000;
const batch = 1000;
const inOne = 100;

export const works = [
  { id: 'put', label: 'put, a transaction each', chart: 'IndexedDB put', durability: 'survives SIGKILL (fake-indexeddb: in memory)' },
  { id: 'get', label: 'get, a transaction each', chart: 'IndexedDB get' },
  { id: 'getChained', label: `get, ${inOne} one after another in one`, per: inOne },
  { id: 'getParallel', label: `get, ${inOne} at once in one`, per: inOne },
  { id: 'putMany', label: `put, ${batch} with an index in one`, chart: `IndexedDB put, ${batch} in one`, per: batch, most: 20 },
  { id: 'cursor', label: `cursor over ${rows}`, chart: 'IndexedDB cursor', per: rows, most: 10 },
  { id: 'getAll', label: `getAll of ${rows}`, per: rows, most: 20 },
  { id: 'indexGet', label: `index.get, ${inOne} in one`, per: inOne },
  ...['put', 'get', 'putMany', 'cursor', 'getAll'].map((id) => ({ id: `${id}Pause`, label: `… longest pause, ${id}`, unit: 'ms', most: 1 })),
];

let counter = 0;
export const record = (id) => ({ id, name: `name ${id % 500}`, text: `text of the record ${(counter += 1)}`.padEnd(80, '.'), done: false });

const ended = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

const completed = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });

async function filled(indexedDB) {
  const request = indexedDB.open('bench', 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore('plain', { keyPath: 'id' });
    request.result.createObjectStore('indexed', { keyPath: 'id' }).createIndex('name', 'name');
  };
  const db = await ended(request);
  const transaction = db.transaction(['plain', 'indexed'], 'readwrite');
  for (let id = 0; id < rows; id += 1) {
    transaction.objectStore('plain').put(record(id));
    transaction.objectStore('indexed').put(record(id));
  }
  await completed(transaction);
  return db;
}

const spread = (i) => (i * 7919) % rows;

export async function operations({ indexedDB, isBare = false }) {
  if (indexedDB === undefined) return {};
  const db = await filled(indexedDB);
  const store = (name, mode) => db.transaction(name, mode, { durability: 'relaxed' }).objectStore(name);
  const works = {
    put: async (n) => {
      for (let i = 0; i < n; i += 1) {
        const plain = store('plain', 'readwrite');
        plain.put(record(spread(i)));
        await completed(plain.transaction);
      }
    },
    get: async (n) => {
      for (let i = 0; i < n; i += 1) expectId(await ended(store('plain').get(spread(i))), spread(i));
    },
    getChained: async (n) => {
      for (let i = 0; i < n; i += 1) await chained(store('plain'), i);
    },
    getParallel: async (n) => {
      for (let i = 0; i < n; i += 1) {
        const plain = store('plain');
        await Promise.all(Array.from({ length: inOne }, (_, j) => ended(plain.get(spread(i + j)))));
      }
    },
    putMany: async (n) => {
      for (let i = 0; i < n; i += 1) {
        const indexed = store('indexed', 'readwrite');
        for (let j = 0; j < batch; j += 1) indexed.put(record(spread(i * batch + j)));
        await completed(indexed.transaction);
      }
    },
    cursor: async (n) => {
      for (let i = 0; i < n; i += 1) await iterate(store('plain'));
    },
    getAll: async (n) => {
      for (let i = 0; i < n; i += 1) {
        const all = await ended(store('plain').getAll());
        if (all.length !== rows) throw new Error(`${all.length} records`);
      }
    },
    indexGet: async (n) => {
      for (let i = 0; i < n; i += 1) {
        const index = store('indexed').index('name');
        await Promise.all(Array.from({ length: inOne }, (_, j) => ended(index.get(`name ${(i + j) % 500}`))));
      }
    },
  };
  return { ...works, ...(isBare ? {} : pauses(works)) };
}

/** Each get is asked for in the success of the one before. */
function chained(plain, i) {
  return new Promise((resolve, reject) => {
    let left = inOne;
    const next = () => {
      const request = plain.get(spread(i + left));
      request.onerror = () => reject(request.error);
      request.onsuccess = () => ((left -= 1) === 0 ? resolve() : next());
    };
    next();
  });
}

function iterate(plain) {
  return new Promise((resolve, reject) => {
    const request = plain.openCursor();
    let seen = 0;
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const cursor = request.result;
      if (cursor === null) return seen === rows ? resolve() : reject(new Error(`${seen} records`));
      seen += cursor.value.id === cursor.key ? 1 : 0;
      cursor.continue();
    };
  });
}

function expectId({ id }, expected) {
  if (id !== expected) throw new Error(`record ${expected} is not itself`);
}

/** The longest time between two turns of the event loop while a work is done some times; nanoseconds. */
function pauses(works) {
  const times = { put: 500, get: 500, putMany: 5, cursor: 3, getAll: 3 };
  return Object.fromEntries(
    Object.entries(times).map(([id, n]) => [
      `${id}Pause`,
      async () => {
        const { port1, port2 } = new MessageChannel();
        let longest = 0;
        let last = performance.now();
        port1.onmessage = () => {
          longest = Math.max(longest, performance.now() - last);
          last = performance.now();
          port2.postMessage(null);
        };
        port2.postMessage(null);
        await works[id](n);
        port1.close();
        return longest * 1e6;
      },
    ]),
  );
}
