// A worker thread: answers a message that has a handle with the text of its file, and with the handle.
import { parentPort, workerData } from 'node:worker_threads';
import { install, StorageHost } from 'holdfast';

install({ host: new StorageHost({ root: workerData.root }), origin: workerData.origin, structuredClone: true });

parentPort.on('messageerror', (error) => parentPort.postMessage({ error: error.name }));
parentPort.on('message', async ({ handle }) => {
  parentPort.postMessage({ text: await (await handle.getFile()).text(), back: handle });
});
