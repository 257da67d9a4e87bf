// Handles through structuredClone, ports, channels and threads, on what each runtime has.
import assert from 'node:assert/strict';
// The default import: what is imported by name stays as it was before install() on Deno and Bun (docs/DEVIATIONS.md).
import threads from 'node:worker_threads';
import { install, StorageHost } from 'holdfast';
import { newRoot, origin } from '../kit/place.mjs';
import { test } from '../kit/test.mjs';

const root = newRoot();

/** Calls `body` with a handle of a file that says 'hello', while the globals are installed. */
async function withHandle(body) {
  const host = new StorageHost({ root });
  const uninstall = install({ host, origin, structuredClone: true });
  try {
    const directory = await navigator.storage.getDirectory();
    const handle = await directory.getFileHandle('a', { create: true });
    const writable = await handle.createWritable();
    await writable.write('hello');
    await writable.close();
    return await body(handle, host);
  } finally {
    uninstall();
    await host.close();
  }
}

async function assertSame(clone, handle) {
  assert.notEqual(clone, handle);
  assert.ok(clone instanceof FileSystemFileHandle);
  assert.equal(await clone.isSameEntry(handle), true);
  assert.equal(await (await clone.getFile()).text(), 'hello');
}

test('structuredClone gives a handle of the same entry, wherever it is in the value', () =>
  withHandle(async (handle) => {
    await assertSame(structuredClone(handle), handle);
    const clone = structuredClone({ list: [1, handle], map: new Map([['handle', handle]]), date: new Date(0) });
    await assertSame(clone.list[1], handle);
    await assertSame(clone.map.get('handle'), handle);
    assert.equal(clone.date.getTime(), 0);
  }));

test('handles go through a message port', () =>
  withHandle(async (handle) => {
    const { port1, port2 } = new threads.MessageChannel();
    const arrived = new Promise((resolve) => port1.on('message', resolve));
    port2.postMessage({ handle });
    await assertSame((await arrived).handle, handle);
    port1.close();
  }));

test('a message is received at once, too', () =>
  withHandle(async (handle) => {
    const { port1, port2 } = new threads.MessageChannel();
    port1.postMessage({ handle });
    await assertSame(threads.receiveMessageOnPort(port2).message.handle, handle);
    port1.close();
  }));

test('handles go through a broadcast channel', () =>
  withHandle(async (handle) => {
    const [sender, receiver] = [new BroadcastChannel('handles'), new BroadcastChannel('handles')];
    const arrived = new Promise((resolve) => (receiver.onmessage = ({ data }) => resolve(data)));
    sender.postMessage({ handle });
    await assertSame((await arrived).handle, handle);
    sender.close();
    receiver.close();
  }));

test('a worker thread of the same origin gets the handle, and sends one back', () =>
  withHandle(async (handle) => {
    const worker = new threads.Worker(new URL('../programs/thread.mjs', import.meta.url), { workerData: { root, origin } });
    const answer = new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    worker.postMessage({ handle });
    const { text, back } = await answer;
    assert.equal(text, 'hello');
    await assertSame(back, handle);
    await worker.terminate();
  }));

test('a worker thread of another origin does not', () =>
  withHandle(async (handle) => {
    const worker = new threads.Worker(new URL('../programs/thread.mjs', import.meta.url), { workerData: { root, origin: 'https://other.example' } });
    const answer = new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    worker.postMessage({ handle });
    assert.deepEqual(await answer, { error: 'DataCloneError' });
    await worker.terminate();
  }));

test('without the option a handle is refused rather than cloned to an empty object', async () => {
  const host = new StorageHost({ root });
  const handle = await (await host.origin(origin).storage.getDirectory()).getFileHandle('a', { create: true });
  // Node 20 cannot mark an object so: docs/DEVIATIONS.md.
  if (typeof threads.markAsUncloneable === 'function') {
    assert.throws(() => structuredClone(handle), { name: 'DataCloneError' });
  }
  await host.close();
});
