// A server of four processes that keeps its sessions in one IndexedDB: whichever process a request comes to, it finds the
// session, and two requests of one session at once lose no update.
//
//   GET /            counts the visits of the session in the cookie
//   GET /sessions    how many sessions there are, and the busiest
//
//   node --import holdfast/globals examples/indexed-db-sessions.mjs          (PORT, HOLDFAST_ROOT from the environment)
import cluster from 'node:cluster';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

const lifetime = 24 * 60 * 60 * 1000;

const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

const completed = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });

async function open() {
  const request = indexedDB.open('sessions', 1);
  request.onupgradeneeded = () => {
    const sessions = request.result.createObjectStore('sessions', { keyPath: 'id' });
    sessions.createIndex('visits', 'visits');
    sessions.createIndex('seen', 'seen');
  };
  const db = await settled(request);
  // Somebody deploys a new version: let it upgrade.
  db.onversionchange = () => db.close();
  return db;
}

/** Read and write are one transaction, which no other process can come between. */
async function visit(db, id) {
  const transaction = db.transaction('sessions', 'readwrite');
  const sessions = transaction.objectStore('sessions');
  const known = await settled(sessions.get(id));
  const session = { id, visits: (known?.visits ?? 0) + 1, seen: new Date() };
  sessions.put(session);
  await completed(transaction);
  return session;
}

async function overview(db) {
  const sessions = db.transaction('sessions').objectStore('sessions');
  const [count, busiest] = await Promise.all([settled(sessions.count()), settled(sessions.index('visits').openCursor(null, 'prev'))]);
  return { count, busiest: busiest?.value.visits ?? 0 };
}

async function removeExpired(db) {
  const expired = IDBKeyRange.upperBound(new Date(Date.now() - lifetime));
  const transaction = db.transaction('sessions', 'readwrite');
  const sessions = transaction.objectStore('sessions');
  for (const id of await settled(sessions.index('seen').getAllKeys(expired))) sessions.delete(id);
  await completed(transaction);
}

async function serve() {
  const db = await open();
  const server = createServer(async ({ url, headers }, response) => {
    try {
      if (url === '/sessions') return response.end(`${JSON.stringify(await overview(db))}\n`);
      const id = /(?:^|; )session=([\w-]+)/.exec(headers.cookie ?? '')?.[1] ?? randomUUID();
      const { visits } = await visit(db, id);
      response.writeHead(200, { 'set-cookie': `session=${id}; HttpOnly; SameSite=Lax; Path=/` });
      response.end(`visit ${visits} of this session, in process ${process.pid}\n`);
    } catch (error) {
      console.error(error);
      response.writeHead(500).end();
    }
  });
  server.listen(Number(process.env.PORT ?? 8788), '127.0.0.1');
  setInterval(() => removeExpired(db).catch(console.error), 60_000).unref();
}

if (cluster.isPrimary) {
  cluster.on('listening', (worker, { port }) => console.log(`process ${worker.process.pid} listens on http://127.0.0.1:${port}`));
  for (let n = 0; n < 4; n += 1) cluster.fork();
  process.on('SIGTERM', () => cluster.disconnect());
} else {
  await serve();
  process.on('disconnect', () => process.exit());
}
