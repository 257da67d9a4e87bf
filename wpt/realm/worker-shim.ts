import { resolveObjectURL } from 'node:buffer';
import { MessageChannel, Worker as Thread, type Transferable } from 'node:worker_threads';
import type { RealmConfig } from './config.ts';
import { defineHandlers, errorEvent } from './global-events.ts';
import { Peer } from './peer.ts';

/** What a worker's thread is told. */
export interface ThreadData {
  readonly config: RealmConfig;
}

export type TransferOptions = readonly Transferable[] | { readonly transfer?: readonly Transferable[] } | undefined;

/** What a test may do with a worker. */
export interface WorkerShim extends EventTarget {
  postMessage(value: unknown, options?: TransferOptions): void;
  terminate(): void;
}

/**
 * The Worker interface of a page over Node's worker threads. Values go to the thread's postMessage untouched: what may
 * be cloned is the product's affair. With `processes` each worker is a thread of a process of its own.
 */
export function workerClass(parent: RealmConfig): new (url: string | URL) => WorkerShim {
  return class Worker extends EventTarget implements WorkerShim {
    readonly #remote: Remote;

    constructor(url: string | URL) {
      super();
      defineHandlers(this, this, ['message', 'messageerror', 'error']);
      const href = new URL(url, parent.href).href;
      const config: RealmConfig = { ...parent, kind: 'worker', page: false, href, scripts: [href], title: null };
      if (href.startsWith('blob:')) this.#remote = startBlob({ ...config, href: parent.href }, href, this);
      else this.#remote = parent.processes ? startProcess(config, this) : startThread(config, this);
    }

    postMessage(value: unknown, options?: TransferOptions): void {
      this.#remote.postMessage(value, transferList(options));
    }

    terminate(): void {
      this.#remote.terminate();
    }
  };
}

interface Remote {
  postMessage(value: unknown, transfer: readonly Transferable[]): void;
  terminate(): void;
}

function startThread(config: RealmConfig, events: EventTarget): Remote {
  const thread = new Thread(threadEntry, { workerData: { config } satisfies ThreadData });
  thread.on('message', (data: unknown) => events.dispatchEvent(new MessageEvent('message', { data })));
  thread.on('messageerror', (data: unknown) => events.dispatchEvent(new MessageEvent('messageerror', { data })));
  thread.on('error', (error) => events.dispatchEvent(errorEvent(error)));
  return { postMessage: thread.postMessage.bind(thread), terminate: () => void thread.terminate() };
}

/** The script is read first, for a thread cannot see the blobs of another. What is posted until then waits. */
function startBlob(config: RealmConfig, url: string, events: EventTarget): Remote {
  const remote = (resolveObjectURL(url)?.text() ?? Promise.reject(new Error(`there is no blob at ${url}`))).then((text) =>
    startThread({ ...config, scripts: [`data:text/javascript,${encodeURIComponent(text)}`] }, events),
  );
  const { port1, port2 } = new MessageChannel();
  port2.on('message', (data: unknown) => void remote.then((thread) => thread.postMessage(data, [])));
  port2.unref();
  return {
    postMessage: (value, transfer) => port1.postMessage(value, [...transfer] as never),
    terminate: () => void remote.then((thread) => thread.terminate()).finally(() => port1.close()),
  };
}

function startProcess(config: RealmConfig, events: EventTarget): Remote {
  const peer = new Peer(config, (message) => {
    if (message.type === 'message') events.dispatchEvent(new MessageEvent('message', { data: message.data }));
  });
  return { postMessage: (value) => peer.postMessage(value), terminate: () => peer.kill() };
}

export const threadEntry = new URL('./realm-thread.mjs', import.meta.url);

export function transferList(options: TransferOptions): readonly Transferable[] {
  if (options === undefined) return [];
  return 'transfer' in options ? (options.transfer ?? []) : (options as readonly Transferable[]);
}
