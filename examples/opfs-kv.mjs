// A key-value store in one file of the Origin Private File System, for browsers and for Holdfast alike.
//
//   import { openStore } from './opfs-kv.mjs';
//   const store = openStore('settings');
//   await store.set('theme', 'dark');
//   await store.update('visits', (count = 0) => count + 1);
//
// Values are what JSON can hold. Every change is atomic, and changes from several tabs, threads or processes come one
// after another: a Web Lock orders them, and closing the writable replaces the whole file at once.

/** One store; stores of different names do not see each other. */
export function openStore(name) {
  const file = `${encodeURIComponent(name)}.json`;
  const lock = `opfs-kv ${name}`;

  const read = () => navigator.locks.request(lock, { mode: 'shared' }, () => load(file));
  const change = (edit) =>
    navigator.locks.request(lock, async () => {
      const entries = await load(file);
      const result = edit(entries);
      await save(file, entries);
      return result;
    });

  return {
    get: async (key) => (await read()).get(key),
    getMany: async (keys) => {
      const entries = await read();
      return keys.map((key) => entries.get(key));
    },
    keys: async () => [...(await read()).keys()],
    entries: async () => [...(await read())],
    set: (key, value) => change((entries) => void entries.set(key, value)),
    /** All of them or none. */
    setMany: (pairs) => change((entries) => pairs.forEach(([key, value]) => entries.set(key, value))),
    /** Sets what `updater` makes of the old value; nobody else's change comes between. */
    update: (key, updater) => change((entries) => void entries.set(key, updater(entries.get(key)))),
    delete: (key) => change((entries) => void entries.delete(key)),
    deleteMany: (keys) => change((entries) => keys.forEach((key) => entries.delete(key))),
    clear: () => change((entries) => entries.clear()),
  };
}

async function load(name) {
  const root = await navigator.storage.getDirectory();
  try {
    const file = await (await root.getFileHandle(name)).getFile();
    return new Map(JSON.parse(await file.text()));
  } catch (error) {
    if (error.name === 'NotFoundError') return new Map();
    throw error;
  }
}

async function save(name, entries) {
  // Before the file is made: a value that JSON cannot hold must change nothing.
  const text = JSON.stringify([...entries]);
  const root = await navigator.storage.getDirectory();
  const handle = await root.getFileHandle(name, { create: true });
  const writable = await handle.createWritable();
  await writable.write(text);
  await writable.close();
}
