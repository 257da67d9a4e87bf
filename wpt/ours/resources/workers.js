'use strict';

let lastCommand = 0;

/** A worker with lock-worker.js; `tell(command, ...args)` gives its answer, or rejects with an Error of that name. */
function openWorker(t) {
  const worker = new Worker('/ours/resources/lock-worker.js');
  t.add_cleanup(() => worker.terminate());
  return {
    terminate: () => worker.terminate(),
    /** Resolves with the error's name when the worker is told that it has lost a lock. */
    lost: (name) => new Promise((resolve) => worker.addEventListener('message', ({ data }) => data.lost === name && resolve(data.error))),
    tell: (command, ...args) => new Promise((resolve, reject) => {
      const id = ++lastCommand;
      const listen = ({ data }) => {
        if (data.id !== id) return;
        worker.removeEventListener('message', listen);
        if (data.error === undefined) resolve(data.result);
        else reject(Object.assign(new Error(data.error), { name: data.error }));
      };
      worker.addEventListener('message', listen);
      worker.postMessage({ id, command, args });
    }),
  };
}

async function nameOfRejection(promise) {
  return promise.then(() => 'fulfilled', ({ name }) => name);
}
