// IndexedDB with promises.

/** The result of a request. */
export const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = (event) => {
      event.preventDefault();
      reject(request.error);
    };
  });

/** Resolves once a transaction is committed. */
export const completed = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error('aborted'));
  });

/** Opens a database; `upgrade` gets it and the transaction. */
export async function open(indexedDB, name, version, upgrade = () => undefined) {
  const request = indexedDB.open(name, version);
  request.onupgradeneeded = () => upgrade(request.result, request.transaction);
  return settled(request);
}

/** Adds one to a counter, so many times, each in a transaction of its own. */
export async function count(db, times) {
  for (let n = 0; n < times; n++) {
    const transaction = db.transaction('counters', 'readwrite');
    const counters = transaction.objectStore('counters');
    const done = completed(transaction);
    counters.get('all').onsuccess = ({ target }) => counters.put((target.result ?? 0) + 1, 'all');
    await done;
  }
}
