import { Worker as Thread, type Transferable } from 'node:worker_threads';
import type { RealmConfig } from './config.ts';
import { defineHandlers, errorEvent } from './global-events.ts';

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
 * be cloned is the product's affair.
 */
export function workerClass(parent: RealmConfig): new (url: string | URL) => WorkerShim {
  return class Worker extends EventTarget implements WorkerShim {
    readonly #thread: Thread;

    constructor(url: string | URL) {
      super();
      defineHandlers(this, this, ['message', 'messageerror', 'error']);
      const href = new URL(url, parent.href).href;
      const config: RealmConfig = { ...parent, kind: 'worker', page: false, href, scripts: [href], title: null };
      this.#thread = new Thread(threadEntry, { workerData: { config } satisfies ThreadData });
      this.#thread.on('message', (data: unknown) => this.dispatchEvent(new MessageEvent('message', { data })));
      this.#thread.on('messageerror', (data: unknown) => this.dispatchEvent(new MessageEvent('messageerror', { data })));
      this.#thread.on('error', (error) => this.dispatchEvent(errorEvent(error)));
    }

    postMessage(value: unknown, options?: TransferOptions): void {
      this.#thread.postMessage(value, transferList(options));
    }

    terminate(): void {
      void this.#thread.terminate();
    }
  };
}

export const threadEntry = new URL('./realm-thread.mjs', import.meta.url);

export function transferList(options: TransferOptions): readonly Transferable[] {
  if (options === undefined) return [];
  return 'transfer' in options ? (options.transfer ?? []) : (options as readonly Transferable[]);
}
