import { defineHandlers } from '../global-events.ts';
import { readServed } from '../files.ts';
import type { Browser, Window } from './browser.ts';
import { makeDocument, type PageDocument } from './document.ts';
import type { WorkerShim } from '../worker-shim.ts';
import { runAs, type Page } from './ownership.ts';
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
  navigator: { readonly locks: Client['locks'] | null; readonly storage: Client['storage'] | null } = { locks: null, storage: null };
  readonly #browser: Browser;
  readonly #parent: Window | null;
  #client: Client | null = null;
  #base = 'about:blank';
  /** Stands for the page that is loaded now: what belongs to an earlier one must not touch a later one. */
  #page: Page = { gone: false };
  #workers: WorkerShim[] = [];

  constructor(browser: Browser, { parent, opener }: Relations) {
    super();
    this.#browser = browser;
    this.#parent = parent;
    this.opener = opener;
    this.document = makeDocument(browser, this);
    defineHandlers(this, this, ['message', 'load', 'storage']);
  }

  override dispatchEvent(event: Event): boolean {
    return runAs(this.#page, () => super.dispatchEvent(event));
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

  /** The Worker interface of this window: its workers end with its page. */
  get Worker(): new (url: string) => WorkerShim {
    const { workers, base } = { workers: this.#workers, base: this.#base };
    return class extends this.#browser.Worker {
      constructor(url: string) {
        super(new URL(url, base).href);
        workers.push(this);
      }
    };
  }

  /** Loads a page, in a later task; the old one and its client end at once. `done` is told when it has loaded. */
  navigate(url: string, base: string, done: () => void = () => undefined): void {
    this.close();
    this.location = new URL(url, base);
    // about:blank has the origin and the base URL of the page that made it.
    this.#base = this.location.protocol === 'about:' ? base : this.location.href;
    const client = this.#browser.client(new URL(this.#base));
    client.addEventListener('storage', (event: Event) => this.dispatchEvent(cloneOf(event)));
    this.#client = client;
    this.navigator = { locks: client.locks, storage: client.storage };
    const page: Page = { gone: false };
    this.#page = page;
    this.#browser.load(() => {
      if (page.gone) return;
      this.#run();
      this.dispatchEvent(new Event('load'));
      done();
    });
  }

  close(): void {
    this.#page.gone = true;
    for (const worker of this.#workers.splice(0)) worker.terminate();
    this.#client?.close();
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
    const file = readServed(this.#browser.config.folders, this.location);
    if (file === null) throw new Error(`No page at ${this.location.href}`);
    runAs(this.#page, () => runPage(this, readMarkup(file.text)));
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
