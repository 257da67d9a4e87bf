import type { RealmConfig } from '../config.ts';
import { readServed } from '../files.ts';
import type { Window } from './browser.ts';
import type { Markup, PageScript } from './markup.ts';
import { post, type PageWindow } from './page-window.ts';

const names = ['window', 'self', 'parent', 'top', 'opener', 'document', 'location', 'navigator', 'localStorage', 'sessionStorage', 'addEventListener', 'removeEventListener', 'postMessage'];

/** All scripts of a page as one function, so that they share their declarations, the onstorage attribute too. */
export function runPage(page: PageWindow, { scripts, onstorage }: Markup, config: RealmConfig): void {
  const parts = scripts.map((script) => textOf(script, page.location, config));
  const attribute = onstorage === null ? '' : `;window.onstorage = function (event) { ${onstorage} };`;
  const run = new Function(...names, 'evaluate', `evaluate(code => eval(code));${attribute}${parts.join('\n;')}`);
  const parent = sourced(page, page.parent);
  const opener = page.opener === null ? null : sourced(page, page.opener);
  const globals = [page, page, parent, parent, opener, page.document, page.location, page.navigator, page.localStorage, page.sessionStorage];
  const methods = [page.addEventListener.bind(page), page.removeEventListener.bind(page), page.postMessage.bind(page)];
  run(...globals, ...methods, (evaluate: (code: string) => unknown) => page.document.compileWith(evaluate));
}

/** Another window as a page sees it: a message that the page posts to it has the page as its source. */
function sourced(page: PageWindow, other: Window): Window {
  if (other === page) return other;
  return new Proxy(other, {
    get: (target, key) => (key === 'postMessage' ? (data: unknown) => post(target, data, page) : Reflect.get(target, key)),
  });
}

function textOf(script: PageScript, base: URL, { folders }: RealmConfig): string {
  if ('text' in script) return script.text;
  const file = readServed(folders, new URL(script.src, base));
  if (file === null) throw new Error(`No script at ${script.src}`);
  return file.text;
}
