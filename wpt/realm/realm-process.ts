// The entry of the process that one test file and variant gets. A window-like realm is its main thread; a worker-like
// realm is a thread of it. The process ends with the test, whatever the test left running.
import { MessageChannel, Worker as Thread } from 'node:worker_threads';
import { runClassicScript } from './classic-script.ts';
import type { RealmConfig, Report } from './config.ts';
import { define, defineHandlers } from './global-events.ts';
import { HarnessReporter } from './harness.ts';
import { installProduct, type Product } from './product.ts';
import { sendToMaker } from './peer.ts';
import { runPeerPage, runTestPage } from './pages/test-page.ts';
import type { TestThreadData } from './realm-thread.ts';
import { shapeGlobalInterfaces, shapeScope } from './scope.ts';
import { threadEntry } from './worker-shim.ts';

const config = JSON.parse(process.argv[2] ?? '') as RealmConfig;

// A runner that was killed must not leave its realms behind.
process.on('disconnect', () => process.exit());

const reporter = new HarnessReporter(send);

if (config.peer) await (config.kind === 'window' ? runPeerWindow() : runPeerWorker());
else if (config.kind === 'window') await runWindow().catch((error: unknown) => reporter.startFailed(error));
else runWorker();

async function runPeerWindow(): Promise<void> {
  const { product, events } = await makeWindow();
  runPeerPage(config, product, events);
}

/** Passes messages between the realm that made this process and the worker in it. */
function runPeerWorker(): void {
  const thread = new Thread(threadEntry, { workerData: { config } });
  thread.on('message', (data: unknown) => sendToMaker({ type: 'message', data }));
  thread.on('exit', () => process.exit());
  process.on('message', ({ data }: { data: unknown }) => thread.postMessage(data));
}

async function runWindow(): Promise<void> {
  const { product, events } = await makeWindow();
  reporter.start(config.timeout);
  try {
    // In one go: testharness.js takes the first pause for the end of the page's loading.
    if (config.page) runTestPage(config, product, reporter);
    else runScripts();
  } catch (error) {
    reporter.scriptFailed(error, events);
  }
}

async function makeWindow(): Promise<{ product: Product | null; events: EventTarget }> {
  shapeGlobalInterfaces('Window');
  const events = shapeScope(config);
  define(globalThis, { window: globalThis });
  defineHandlers(globalThis, events, ['message', 'messageerror', 'error', 'load']);
  return { product: await installProduct(config), events };
}

function runScripts(): void {
  for (const script of config.scripts) {
    runClassicScript(config.folders, new URL(script, config.href));
    reporter.connect();
  }
}

function runWorker(): void {
  const { port1, port2 } = new MessageChannel();
  port1.on('message', send);
  const workerData: TestThreadData = { config, report: port2 };
  const thread = new Thread(threadEntry, { workerData, transferList: [port2] });
  thread.on('error', (error) => fail(`${error.name}: ${error.message}`));
  thread.on('exit', (code) => fail(`the worker ended with code ${code} before its tests were complete`));
}

function fail(message: string): void {
  send({ type: 'complete', harness: 'CRASH', message, subtests: [] });
}

function send(report: Report): void {
  process.send?.(report, () => {
    if (report.type === 'complete') process.exit();
  });
}
