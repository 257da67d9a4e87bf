import { defineHandlers } from '../global-events.ts';
import { readServed } from '../files.ts';
import type { Browser, Window } from './browser.ts';
import { makeDocument, type PageDocument } from './document.ts';
import { readMarkup, type Markup } from './markup.ts';

type Client = ReturnType<Browser['client']>;

interface Relations {
  /** null for a top-level window, which is its own parent. */
  readonly parent: Window | null;
  readonly opener: Window | null;
}

/**
 * The window of a frame or popup of a test page: an object that has what a page's scripts find on their global object,
 * with a client of its own behind it. Its scripts run in the realm of the test page, as functions.
 */
export class PageWindow extends EventTarget {
  readonly opener: Window | null;
  readonly DOMException = DOMException;
  onmessage: unknown;
  onload: unknown;
  onstorage: unknown;
  document: PageDocument;
  location = new URL('about:blank');
  readonly #browser: Browser;
  readonly #parent: Window | null;
  #client: Client | null = null;
  /** Counts navigations: what belongs to an earlier page of this window must not touch a later one. */
  #page = 0;

  constructor(browser: Browser, { parent, opener }: Relations) {
    super();
    this.#browser = browser;
    this.#parent = parent;
    this.opener = opener;
    this.document = makeDocument(browser, this);
    defineHandlers(this, this, ['message', 'load', 'storage']);
  }

  get window(): this {
    return this;
  }

  get self(): this {
    return this;
  }

  get parent(): Window {
    return this.#parent ?? this;
  }

  get localStorage(): unknown {
    return this.#client?.localStorage;
  }

  get sessionStorage(): unknown {
    return this.#client?.sessionStorage;
  }

  get navigator(): { locks: unknown; storage: unknown } {
    const client = this.#client;
    return { locks: client?.locks, storage: client?.storage };
  }

  /** Loads a page, in a later task; the old one and its client end at once. `done` is told when it has loaded. */
  navigate(url: string, base: string, done: () => void = () => undefined): void {
    this.close();
    this.location = new URL(url, base);
    // about:blank has the origin and, for storage, the URL of the page that made it.
    this.#client = this.#browser.client(this.location.protocol === 'about:' ? new URL(base) : this.location);
    this.#client.addEventListener('storage', (event: Event) => this.dispatchEvent(cloneOf(event)));
    const page = this.#page;
    setTimeout(() => {
      if (page !== this.#page) return;
      this.#run();
      this.dispatchEvent(new Event('load'));
      done();
    });
  }

  close(): void {
    this.#page += 1;
    this.#client?.close();
    this.#client = null;
  }

  open(url: string, name?: string, features?: string): PageWindow | null {
    return this.#browser.open(this, url, name, features);
  }

  postMessage(data: unknown): void {
    // Every window of this realm sends through the realm's own; the tests' frames answer to their parent.
    post(this, data, this.#parent ?? this.opener);
  }

  #run(): void {
    if (this.location.protocol === 'about:') return;
    const file = readServed(this.#browser.folders, this.location);
    if (file === null) throw new Error(`No page at ${this.location.href}`);
    runPage(this, readMarkup(file.text));
  }
}

/** https://html.spec.whatwg.org/multipage/web-messaging.html#dom-window-postmessage: in a later task, as a clone. */
export function post(target: Window, data: unknown, source: Window | null): void {
  const message = structuredClone(data);
  setTimeout(() => {
    const event = new MessageEvent('message', { data: message });
    Object.defineProperty(event, 'source', { value: source });
    target.dispatchEvent(event);
  });
}

const names = ['window', 'self', 'parent', 'top', 'opener', 'document', 'location', 'navigator', 'localStorage', 'sessionStorage', 'addEventListener', 'removeEventListener', 'postMessage'];

/** All scripts of a page as one function, so that they share their declarations, the onstorage attribute too. */
function runPage(page: PageWindow, { scripts, onstorage }: Markup): void {
  const parts = scripts.map((script) => ('text' in script ? script.text : ''));
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

/** An event cannot be dispatched again while it is; the clone has the same class and attributes. */
function cloneOf(event: Event): Event {
  const Constructor = event.constructor as new (type: string, init: object) => Event;
  return new Constructor(event.type, attributesOf(event));
}

function attributesOf(event: Event): Record<string, unknown> {
  const attributes: Record<string, unknown> = {};
  for (const name in event) attributes[name] = Reflect.get(event, name);
  return attributes;
}
