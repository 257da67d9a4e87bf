'use strict';

const releases = new Map();

const commands = {
  /** Answers once the lock is held, or was not to be had; the lock is held until `release`. */
  request: (name, options) => new Promise((resolve) => {
    navigator.locks
      .request(name, options, (lock) => {
        resolve(lock === null ? 'unavailable' : 'held');
        return lock === null ? undefined : new Promise((release) => releases.set(name, release));
      })
      .catch((error) => {
        resolve(error.name);
        postMessage({ lost: name, error: error.name });
      });
  }),
  release: (name) => releases.get(name)(),
  query: () => navigator.locks.query(),

  /** Opens a file of the directory `names[0]` and keeps it open. */
  openAccess: async ([directory, name], options) => {
    const file = await fileOf(directory, name);
    self.access = await file.createSyncAccessHandle(options);
  },
  writeAccess: (text, at) => self.access.write(new TextEncoder().encode(text), { at }),
  closeAccess: () => self.access.close(),
  openWritable: async ([directory, name], options) => {
    self.writable = await (await fileOf(directory, name)).createWritable(options);
  },
  writeWritable: (text) => self.writable.write(text),
  closeWritable: () => self.writable.close(),
  change: async ([directory, name], method, ...args) => {
    await (await fileOf(directory, name))[method](...args);
  },
};

async function fileOf(directory, name) {
  const root = await navigator.storage.getDirectory();
  return (await root.getDirectoryHandle(directory)).getFileHandle(name, { create: true });
}

addEventListener('message', async ({ data: { id, command, args } }) => {
  try {
    postMessage({ id, result: await commands[command](...args) });
  } catch (error) {
    postMessage({ id, error: error.name });
  }
});
