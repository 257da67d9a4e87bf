// A thread that tells what it receives, and sends handles back. As a node:worker_threads Worker or a web Worker.
import threads from 'node:worker_threads';
import { installStructuredClone } from '../../src/host/structured-clone/install.ts';
import { FakeHandle, fakeCodec } from './fake-handle.ts';
import { describe } from './describe-message.ts';

interface Setup {
  install: boolean;
  origin: string;
  handle?: unknown;
}

/** The part of a web Worker's global scope that is needed here. */
interface Scope {
  onmessage: (event: { data: unknown }) => void;
  addEventListener(type: string, listener: (event: { data: unknown }) => void): void;
  postMessage(message: unknown): void;
}

const given = (threads.workerData ?? {}) as Partial<Setup>;
const install = given.install ?? true;
const origin = given.origin ?? 'https://a.example';
if (install) installStructuredClone(globalThis, fakeCodec(origin));
const started = describe((threads.workerData as Setup | null)?.handle);

function answer(data: unknown): unknown {
  return { got: describe(data), started, back: install ? new FakeHandle('from the worker', origin) : null };
}

if (!threads.workerData) {
  // Nobody but a web Worker is started without data here.
  const scope = globalThis as unknown as Scope;
  scope.onmessage = ({ data }) => scope.postMessage(answer(data));
  scope.addEventListener('messageerror', ({ data }) => scope.postMessage({ error: describe(data) }));
} else {
  threads.parentPort?.on('message', (data: { port?: threads.MessagePort }) => {
    // First: the answer over parentPort ends this thread.
    data.port?.postMessage(answer(data));
    threads.parentPort?.postMessage(answer(data));
  });
  threads.parentPort?.on('messageerror', (error: unknown) => threads.parentPort?.postMessage({ error: describe(error) }));
}
