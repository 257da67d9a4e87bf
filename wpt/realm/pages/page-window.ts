import { defineHandlers } from '../global-events.ts';
import { readServed } from '../files.ts';
import type { Browser, Window } from './browser.ts';
import { makeDocument, type PageDocument } from './document.ts';
import type { WorkerShim } from '../worker-shim.ts';
import { ownRequests, Page, runAs } from './ownership.ts';
import { readMarkup } from './markup.ts';
import { runPage } from './run-page.ts';

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
  readonly TypeError = TypeError;
  navigator: Partial<Pick<Client, 'locks' | 'storage' | 'storageBuckets'>> = {};
  readonly #browser: Browser;
  readonly #parent: Window | null;
  #client: Client | null = null;
  #base = 'about:blank';
  #page = new Page();

  constructor(browser: Browser, { parent, opener }: Relations) {
    super();
    this.#browser = browser;
    this.#parent = parent;
    this.opener = opener;
    this.document = makeDocument(browser, this);
  }

  /** A listener ends with the page in whose time it was added. */
  override addEventListener(type: string, listener: Parameters<EventTarget['addEventListener']>[1], options?: Parameters<EventTarget['addEventListener']>[2]): void {
    super.addEventListener(type, listener, { ...(typeof options === 'object' ? options : { capture: options ?? false }), signal: this.#page.signal });
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

  get top(): Window {
    return this.#parent === null ? this : (this.#parent.top ?? this.#parent);
  }

  get localStorage(): unknown {
    return this.#client?.localStorage;
  }

  get indexedDB(): unknown {
    return this.#client?.indexedDB;
  }

  get sessionStorage(): unknown {
    return this.#client?.sessionStorage;
  }

  /** The Worker interface of this window: its workers end with its page. */
  get Worker(): new (url: string) => WorkerShim {
    const { signal } = this.#page;
    const base = this.#base;
    return class extends this.#browser.Worker {
      constructor(url: string) {
        super(new URL(url, base).href);
        signal.addEventListener('abort', () => this.terminate());
      }
    };
  }

  /** Loads a page, in a later task; the old one and its client end at once. `done` is told when it has loaded. */
  navigate(url: string, base: string, done: () => void = () => undefined): void {
    this.close();
    const page = new Page();
    this.#page = page;
    defineHandlers(this, this, ['message', 'load', 'storage']);
    this.location = new URL(url, base);
    // about:blank has the origin and the base URL of the page that made it.
    this.#base = this.location.protocol === 'about:' ? base : this.location.href;
    const client = this.#browser.client(new URL(this.#base));
    page.signal.addEventListener('abort', () => client.close());
    client.addEventListener('storage', (event: Event) => this.dispatchEvent(cloneOf(event)));
    this.#client = client;
    this.navigator = { locks: ownRequests(page, client.locks), storage: client.storage, storageBuckets: client.storageBuckets };
    this.#browser.load(() => {
      if (page.gone) return;
      this.#run();
      this.dispatchEvent(new Event('load'));
      done();
    });
  }

  close(): void {
    this.#page.end();
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
    runAs(this.#page, () => runPage(this, readMarkup(file.text), this.#browser.config));
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
