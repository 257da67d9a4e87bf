import { runClassicScript, runText } from '../classic-script.ts';
import type { RealmConfig } from '../config.ts';
import { readServed } from '../files.ts';
import { define } from '../global-events.ts';
import type { HarnessReporter } from '../harness.ts';
import { sendToMaker } from '../peer.ts';
import { hostOptions, type Product } from '../product.ts';
import { Browser, type Window } from './browser.ts';
import { makeDocument } from './document.ts';
import { readMarkup, type PageScript } from './markup.ts';
import { trackPromises } from './ownership.ts';
import { post } from './page-window.ts';

/**
 * Runs the scripts of a test that is a page, as the realm's own and in order. Windows that they open, as frames or
 * popups, are more clients of the same origin.
 */
export function runTestPage(config: RealmConfig, product: Product | null, reporter: HarnessReporter): void {
  const [harness, ...scripts] = scriptsOf(config);
  if (harness === undefined) return;
  runPageScript(config, harness);
  reporter.connect();
  reporter.holdUntilLoaded();
  // Only now: with a document the harness would write its results into the page.
  const browser = product === null ? null : addWindows(config, product);
  for (const script of scripts) runPageScript(config, script);
  const loaded = (): void => {
    (globalThis as unknown as Window).dispatchEvent(new Event('load'));
    // As in a browser, what a listener of that event starts is still part of the test.
    setTimeout(() => reporter.loaded());
  };
  if (browser === null) setTimeout(loaded);
  else browser.whenLoaded(loaded);
}

/** Runs the page of a frame that has a process of its own. Its parent is in another one. */
export function runPeerPage(config: RealmConfig, product: Product | null, events: EventTarget): void {
  const parent = { postMessage: (data: unknown) => sendToMaker({ type: 'message', data }) };
  process.on('message', ({ data }: { data: unknown }) => {
    const event = new MessageEvent('message', { data });
    Object.defineProperty(event, 'source', { value: parent });
    events.dispatchEvent(event);
  });
  if (product !== null) addWindows(config, product);
  define(globalThis, { parent, top: parent });
  for (const script of scriptsOf(config)) runPageScript(config, script);
  sendToMaker({ type: 'loaded' });
}

function runPageScript({ folders, href }: RealmConfig, script: PageScript): void {
  if ('src' in script) runClassicScript(folders, new URL(script.src, href));
  else runText(script.text, href);
}

function scriptsOf(config: RealmConfig): readonly PageScript[] {
  if (!isMarkup(config)) return config.scripts.map((src) => ({ src }));
  const file = readServed(config.folders, new URL(config.href));
  if (file === null) throw new Error(`No page at ${config.href}`);
  const { scripts, title } = readMarkup(file.text);
  if (title !== null) define(globalThis, { META_TITLE: title });
  return scripts;
}

function isMarkup({ scripts: [first = ''] }: RealmConfig): boolean {
  return /\.html?$/.test(first);
}

/** What a window of a browser has beside its storage: a document that can make frames, and window.open(). */
function addWindows(config: RealmConfig, { StorageHost }: Product): Browser {
  trackPromises();
  const scope: Window = globalThis as unknown as Window;
  const browser = new Browser(new StorageHost(hostOptions(config)), config);
  define(scope, {
    document: makeDocument(browser, scope),
    parent: scope,
    top: scope,
    opener: null,
    open: browser.open.bind(browser, scope),
    postMessage: (data: unknown) => post(scope, data, scope),
  });
  return browser;
}
