// The entry of every worker-like realm: one thread, whose global object looks like a dedicated worker's.
import { availableParallelism } from 'node:os';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { runClassicScript } from './classic-script.ts';
import type { RealmConfig } from './config.ts';
import { define, defineHandlers } from './global-events.ts';
import { HarnessReporter } from './harness.ts';
import { installProduct } from './product.ts';
import { shapeGlobalInterfaces, shapeScope } from './scope.ts';
import { transferList, type ThreadData } from './worker-shim.ts';

/** The thread that runs the test itself also reports; a worker that a test made does not. */
export interface TestThreadData extends ThreadData {
  readonly report?: MessagePort;
}

const { config, report } = workerData as TestThreadData;
const port = parentPort as MessagePort;
const reporter = report === undefined ? null : new HarnessReporter((message) => report.postMessage(message));

await start().catch((error: unknown) => {
  if (reporter === null) throw error;
  reporter.startFailed(error);
});

async function start(): Promise<void> {
  const events = shapeWorkerScope(config);
  await installProduct(config);
  reporter?.start(config.timeout);
  // An error in a script is an event of the scope, as any other; the worker goes on with its messages.
  try {
    for (const script of config.scripts) importScripts(script);
    if (!config.scripts.includes(config.href)) (globalThis as { done?: () => void }).done?.();
  } catch (error) {
    if (reporter === null) throw error;
    reporter.scriptFailed(error, events);
  }
  port.on('message', (data: unknown) => events.dispatchEvent(new MessageEvent('message', { data })));
  port.on('messageerror', (data: unknown) => events.dispatchEvent(new MessageEvent('messageerror', { data })));
}

function shapeWorkerScope(realm: RealmConfig): EventTarget {
  shapeGlobalInterfaces('WorkerGlobalScope', 'DedicatedWorkerGlobalScope');
  const events = shapeScope(realm);
  defineHandlers(globalThis, events, ['message', 'messageerror', 'error']);
  define(globalThis, {
    importScripts,
    postMessage: (value: unknown, options?: Parameters<typeof transferList>[0]) => port.postMessage(value, transferList(options)),
    // The script goes on to its end, as that of a closed worker does; no other task follows.
    close: () => void setImmediate(() => process.exit()),
    ...workerNavigator(),
  });
  Reflect.deleteProperty(globalThis, 'Navigator');
  return events;
}

/**
 * In a worker the navigator is a WorkerNavigator, here with what Node's own has from version 21 on; the product puts its
 * attributes on the prototype that it finds.
 */
function workerNavigator(): { WorkerNavigator: object; navigator: object } {
  class WorkerNavigator {
    get userAgent(): string {
      return `Node.js/${process.versions.node.split('.')[0]}`;
    }

    get hardwareConcurrency(): number {
      return availableParallelism();
    }
  }
  Object.defineProperty(WorkerNavigator.prototype, Symbol.toStringTag, { value: 'WorkerNavigator', configurable: true });
  return { WorkerNavigator, navigator: new WorkerNavigator() };
}

function importScripts(...urls: readonly string[]): void {
  for (const url of urls) {
    runClassicScript(config.folders, new URL(url, config.href));
    reporter?.connect();
  }
}
