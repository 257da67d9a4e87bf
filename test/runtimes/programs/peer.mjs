// A client of an origin that does what it is told, a line of JSON each: [what, ...arguments]. It answers in the same
// order, {"answer"} or {"error"}; what happens to it comes between, as {"event"}. argv: the root, and a key in hexadecimal digits where it encrypts.
import process from 'node:process';
import { StorageHost } from 'holdfast';
import { completed, open, settled } from '../kit/indexed-db.mjs';
import { everyKind } from '../kit/kinds.mjs';

const [, , root, key] = process.argv;
const host = new StorageHost({ root, ...(key !== undefined && { encryption: { key: Uint8Array.from(key.match(/../g), (digits) => Number.parseInt(digits, 16)) } }) });
const app = host.origin('https://app.example');
const say = (message) => console.log(JSON.stringify(message));

const releases = new Map();
const handles = new Map();
const channels = new Map();
let database;

async function file(name, options) {
  return (await app.storage.getDirectory()).getFileHandle(name, options);
}

const commands = {
  getItem: (key) => app.localStorage.getItem(key),
  setItem: (key, value) => void app.localStorage.setItem(key, value),
  removeItem: (key) => void app.localStorage.removeItem(key),
  clear: () => void app.localStorage.clear(),
  items: () => Object.entries(app.localStorage),
  /** Tells of storage events from now on. */
  listen() {
    app.addEventListener('storage', ({ key, oldValue, newValue, url, storageArea }) =>
      say({ event: { key, oldValue, newValue, url, isOurs: storageArea === app.localStorage } }),
    );
  },
  async read(name) {
    return (await (await file(name)).getFile()).text();
  },
  async write(name, text) {
    const writable = await (await file(name, { create: true })).createWritable();
    await writable.write(text);
    await writable.close();
  },
  async readInBucket(bucket, name) {
    const directory = await (await app.storageBuckets.open(bucket)).getDirectory();
    return (await (await directory.getFileHandle(name)).getFile()).text();
  },
  deleteBucket: (name) => app.storageBuckets.delete(name),
  bucketNames: () => app.storageBuckets.keys(),
  async remove(name) {
    await (await app.storage.getDirectory()).removeEntry(name, { recursive: true });
  },
  async open(name) {
    handles.set(name, await (await file(name, { create: true })).createSyncAccessHandle());
  },
  close: (name) => void handles.get(name).close(),
  /** Answers when the lock is held; keeps it until `unlock`, or tells that it was stolen. */
  lock: (name, options = {}) =>
    new Promise((resolve, reject) => {
      const held = () => {
        resolve('held');
        return new Promise((release) => releases.set(name, release));
      };
      app.locks.request(name, options, held).catch((error) => {
        say({ event: { lost: name, error: error.name } });
        reject(error);
      });
    }),
  unlock: (name) => void releases.get(name)(),
  async ifAvailable(name) {
    return app.locks.request(name, { ifAvailable: true }, (lock) => lock !== null);
  },
  /** Tells of the channel's messages from now on. */
  hear(name) {
    const channel = new app.BroadcastChannel(name);
    channels.set(name, channel);
    channel.onmessage = async ({ data }) => say({ event: { channel: name, data: data instanceof Blob ? { text: await data.text(), type: data.type } : data } });
  },
  post(name, message) {
    new app.BroadcastChannel(name).postMessage(message);
  },
  postEveryKind(name) {
    new app.BroadcastChannel(name).postMessage(everyKind());
  },
  postBlob(name, text, type) {
    new app.BroadcastChannel(name).postMessage(new Blob([text], { type }));
  },
  async openDatabase(name, version) {
    database = await open(app.indexedDB, name, version, (made) => made.createObjectStore('records'));
    database.onversionchange = ({ oldVersion, newVersion }) => {
      say({ event: { versionchange: [oldVersion, newVersion] } });
      database.close();
    };
  },
  async putRecord(key, value) {
    const transaction = database.transaction('records', 'readwrite');
    transaction.objectStore('records').put(value, key);
    await completed(transaction);
  },
  /** What is stored; of a Blob what it holds. */
  async getRecord(key) {
    const value = await settled(database.transaction('records').objectStore('records').get(key));
    return value instanceof Blob ? value.text() : value;
  },
  /** Writes, and keeps the transaction going. */
  async holdTransaction(key, value) {
    const records = database.transaction('records', 'readwrite').objectStore('records');
    await settled(records.put(value, key));
    const goOn = () => (records.get(key).onsuccess = goOn);
    goOn();
  },
  query: () => app.locks.query(),
  async cached(name, url) {
    return (await app.caches.match(url, { cacheName: name }))?.text();
  },
  async cache(name, url, text) {
    await (await app.caches.open(name)).put(url, new Response(text));
  },
  async uncache(name) {
    const cache = await app.caches.open(name);
    for (const request of await cache.keys()) await cache.delete(request);
  },
  async leave() {
    process.stdin.destroy();
    await host.close();
  },
};

let previous = Promise.resolve();

function obey(line) {
  const [what, ...args] = JSON.parse(line);
  const answer = (async () => commands[what](...args))();
  answer.catch(() => undefined);
  previous = previous.then(() => answer).then(
    (value) => say({ answer: value ?? null }),
    (error) => say({ error: error.name }),
  );
}

let rest = '';
process.stdin.setEncoding('utf8').on('data', (text) => {
  const lines = (rest + text).split('\n');
  rest = lines.pop();
  lines.forEach(obey);
});
say({ answer: 'ready' });
