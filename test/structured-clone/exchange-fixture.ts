// Sends handles over everything that this runtime has, and prints what arrived, a line of JSON each. argv: the worker's file.
import { pathToFileURL } from 'node:url';
import threads from 'node:worker_threads';
import { installStructuredClone } from '../../src/host/structured-clone/install.ts';
import { describe } from './describe-message.ts';
import { FakeHandle, fakeCodec } from './fake-handle.ts';

/** What ports, broadcast channels and web Workers have in common; the types of Node know only its own style. */
interface WebTarget {
  onmessage: ((event: { data: unknown }) => void) | null;
  onmessageerror: ((event: { data: unknown }) => void) | null;
  addEventListener(type: string, listener: (event: { data: unknown }) => void): void;
  postMessage(message: unknown): void;
  start(): void;
  terminate(): void;
}

function web(target: object): WebTarget {
  return target as WebTarget;
}

const early = new threads.MessageChannel();
const earlyMessage = new Promise((resolve) => {
  early.port1.on('message', resolve);
});

installStructuredClone(globalThis, fakeCodec());

const worker = pathToFileURL(process.argv[2] ?? '');
const handle = () => ({ handle: new FakeHandle('a') });
const foreign = () => ({ handle: new FakeHandle('a', 'https://b.example') });

type Listen = (port: threads.MessagePort, got: (what: unknown) => void) => void;
const styles: Record<string, Listen> = {
  addEventListener(port, got) {
    const target = web(port);
    target.addEventListener('message', ({ data }) => data !== null && got(data));
    target.addEventListener('messageerror', ({ data }) => got(data));
    target.start();
  },
  onmessage(port, got) {
    const target = web(port);
    target.onmessage = ({ data }) => data !== null && got(data);
    target.onmessageerror = ({ data }) => got(data);
  },
  on(port, got) {
    port.on('message', (data) => data !== null && got(data));
    port.on('messageerror', got);
  },
};

async function overPort(listen: Listen, message: unknown): Promise<unknown> {
  const { port1, port2 } = new threads.MessageChannel();
  const arrived = new Promise((resolve) => listen(port1, resolve));
  port2.postMessage(message);
  const what = describe(await arrived);
  port1.close();
  return what;
}

function synchronously(message: unknown): unknown {
  const { port1, port2 } = new threads.MessageChannel();
  port1.postMessage(message);
  try {
    return describe((threads.receiveMessageOnPort(port2) as { message: unknown }).message);
  } catch (error) {
    return describe(error);
  } finally {
    port1.close();
  }
}

async function overBroadcast(message: unknown): Promise<unknown> {
  const [sender, receiver] = [new BroadcastChannel('holdfast test'), new BroadcastChannel('holdfast test')];
  const target = web(receiver);
  const arrived = new Promise((resolve) => {
    target.onmessage = ({ data }) => data !== null && resolve(data);
    target.addEventListener('messageerror', ({ data }) => resolve(data));
  });
  sender.postMessage(message);
  const what = describe(await arrived);
  sender.close();
  receiver.close();
  return what;
}

class Wrapped extends threads.Worker {}

async function throughThread(setup: object, message: object, transfer: threads.MessagePort[] = []): Promise<unknown> {
  const thread = new Wrapped(worker, { workerData: { install: true, origin: 'https://a.example', ...setup } });
  const answer = new Promise((resolve, reject) => {
    thread.once('message', resolve);
    thread.once('messageerror', (error) => resolve({ messageerror: error as unknown }));
    thread.once('error', reject);
  });
  thread.postMessage(message, transfer);
  const what = describe(await answer);
  await thread.terminate();
  return what;
}

async function throughThreadPort(): Promise<unknown> {
  const { port1, port2 } = new threads.MessageChannel();
  const answer = new Promise((resolve) => {
    web(port1).onmessage = ({ data }) => resolve(data);
  });
  await throughThread({}, { ...handle(), port: port2 }, [port2]);
  const what = describe(await answer);
  port1.close();
  return what;
}

async function throughWebWorker(message: unknown): Promise<unknown> {
  const { Worker: WebWorker } = globalThis as { Worker?: new (file: URL, options: object) => WebTarget };
  if (WebWorker === undefined) return 'none';
  const target = new WebWorker(worker, { type: 'module' });
  const answer = new Promise((resolve) => {
    target.onmessage = ({ data }) => resolve(data);
  });
  target.postMessage(message);
  const what = describe(await answer);
  target.terminate();
  return what;
}

async function inEachStyle(message: () => unknown): Promise<unknown> {
  const results = Object.entries(styles).map(async ([name, listen]) => [name, await overPort(listen, message())] as const);
  return Object.fromEntries(await Promise.all(results));
}

async function toEarlyListener(): Promise<unknown> {
  early.port2.postMessage(handle());
  const what = describe(await earlyMessage);
  early.port1.close();
  return what;
}

const runtime = 'Deno' in globalThis ? 'Deno' : 'Bun' in globalThis ? 'Bun' : 'Node';

const steps: Record<string, () => unknown> = {
  port: () => inEachStyle(handle),
  foreignPort: () => inEachStyle(foreign),
  itself: () => overPort(styles['on'] as Listen, new FakeHandle('itself')),
  plain: () => overPort(styles['on'] as Listen, { plain: [1, { two: null }] }),
  // Deno gives each port a postMessage of its own when it is made.
  early: () => (runtime === 'Deno' ? 'left out' : toEarlyListener()),
  sync: () => synchronously(handle()),
  foreignSync: () => synchronously(foreign()),
  broadcast: () => overBroadcast(handle()),
  foreignBroadcast: () => overBroadcast(foreign()),
  thread: () => throughThread({}, handle()),
  threadPort: () => throughThreadPort(),
  threadOfAnotherOrigin: () => throughThread({ origin: 'https://b.example' }, handle()),
  threadWithout: () => throughThread({ install: false }, handle()),
  web: () => throughWebWorker(handle()),
  foreignWeb: () => throughWebWorker(foreign()),
  // Only Node lets the data that a thread starts with be changed on its way.
  workerData: () => (runtime === 'Node' ? throughThread(handle(), { plain: true }) : 'left out'),
};

for (const [name, step] of Object.entries(steps)) console.log(JSON.stringify([name, await step()]));
process.exit(0);
