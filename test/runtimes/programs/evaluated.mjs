// A thread whose code is a string: no preload reaches it, so it imports the globals itself.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const code = `(async () => {
  await import(${JSON.stringify(import.meta.resolve('holdfast/globals'))});
  localStorage.setItem('from', 'a string');
  require('node:worker_threads').parentPort.postMessage(await navigator.locks.request('a', () => localStorage.getItem('from')));
})()`;
const [message] = await once(new Worker(code, { eval: true }), 'message');
console.log(message);
