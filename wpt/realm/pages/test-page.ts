import { runClassicScript, runText } from '../classic-script.ts';
import type { RealmConfig } from '../config.ts';
import { readServed } from '../files.ts';
import { define } from '../global-events.ts';
import type { HarnessReporter } from '../harness.ts';
import type { Product } from '../product.ts';
import { Browser, type Window } from './browser.ts';
import { makeDocument } from './document.ts';
import { readMarkup, type PageScript } from './markup.ts';
import { post } from './page-window.ts';

/**
 * Runs the scripts of a test that is a page, as the realm's own and in order. Windows that they open, as frames or
 * popups, are more clients of the same origin.
 */
export function runTestPage(config: RealmConfig, product: Product | null, reporter: HarnessReporter): void {
  let harnessLoaded = false;
  for (const script of scriptsOf(config)) {
    if ('src' in script) runClassicScript(config.folders, new URL(script.src, config.href));
    else runText(script.text, config.href);
    reporter.connect();
    // After the harness: with a document it would write its results into the page.
    if (!harnessLoaded && product !== null) addWindows(config, product);
    harnessLoaded = true;
  }
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
function addWindows(config: RealmConfig, { StorageHost }: Product): void {
  const scope = globalThis as unknown as Window;
  const browser = new Browser(new StorageHost({ root: config.root }), config.folders);
  define(scope, {
    document: makeDocument(browser, scope),
    parent: scope,
    top: scope,
    opener: null,
    open: browser.open.bind(browser, scope),
    postMessage: (data: unknown) => post(scope, data, scope),
  });
}
