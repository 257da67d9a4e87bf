import { PageWindow } from './page-window.ts';
import type { Browser, Window } from './browser.ts';
import { RemoteWindow } from './remote-window.ts';

/** As much of a document as pages need that only make frames and set event handlers. */
export interface PageDocument {
  readonly body: PageElement;
  readonly documentElement: PageElement;
  readonly documentURI: string;
  createElement(name: string): PageElement;
  getElementsByTagName(name: string): readonly PageElement[];
  /** How the page's own scope compiles the text of an event handler attribute. */
  compileWith(evaluate: (code: string) => unknown): void;
}

export function makeDocument(browser: Browser, window: Window): PageDocument {
  let compile = (code: string): unknown => (0, eval)(code);
  const body = new PageElement();
  // An event handler attribute of the body is one of the window: https://html.spec.whatwg.org/multipage/webappapis.html#window-reflecting-body-element-event-handler-set
  body.onAttribute = (name, value) => {
    if (name.startsWith('on')) Reflect.set(window, name, compile(`(function (event) { ${value} })`));
  };
  return {
    body,
    documentElement: new PageElement(),
    get documentURI() {
      return window.location.href;
    },
    createElement: (name) => (name.toLowerCase() === 'iframe' ? new FrameElement(browser, window) : new PageElement()),
    getElementsByTagName: () => [],
    compileWith: (evaluate) => (compile = evaluate),
  };
}

export class PageElement extends EventTarget {
  parentElement: PageElement | null = null;
  onAttribute: (name: string, value: string) => void = () => undefined;

  setAttribute(name: string, value: string): void {
    this.onAttribute(name, value);
  }

  appendChild<Child extends PageElement>(child: Child): Child {
    child.parentElement = this;
    child.inserted();
    return child;
  }

  append(child: PageElement): void {
    this.appendChild(child);
  }

  removeChild(child: PageElement): void {
    child.remove();
  }

  remove(): void {
    this.parentElement = null;
  }

  /** Called when the element gets a parent. */
  inserted(): void {}
}

/** An iframe: a window while it is in the document, and a page loaded into it whenever its src is set. */
class FrameElement extends PageElement {
  contentWindow: PageWindow | RemoteWindow | null = null;
  onload: ((event: Event) => void) | null = null;
  readonly #browser: Browser;
  readonly #owner: Window;
  #src = 'about:blank';

  constructor(browser: Browser, owner: Window) {
    super();
    this.#browser = browser;
    this.#owner = owner;
    this.addEventListener('load', (event) => this.onload?.(event));
    this.onAttribute = (name, value) => {
      if (name === 'src') this.src = value;
    };
  }

  get contentDocument(): PageDocument | null {
    return this.contentWindow instanceof PageWindow ? this.contentWindow.document : null;
  }

  get src(): string {
    return this.#src;
  }

  set src(url: string) {
    this.#src = url;
    if (this.contentWindow !== null) this.#load();
  }

  override inserted(): void {
    if (!this.#browser.config.processes) this.contentWindow = new PageWindow(this.#browser, { parent: this.#owner, opener: null });
    this.#load();
  }

  override remove(): void {
    super.remove();
    this.contentWindow?.close();
    this.contentWindow = null;
  }

  #load(): void {
    const base = this.#owner.location.href;
    const loaded = (): void => void this.dispatchEvent(new Event('load'));
    if (this.contentWindow instanceof PageWindow) return this.contentWindow.navigate(this.#src, base, loaded);
    this.contentWindow?.close();
    this.contentWindow = new RemoteWindow(this.#browser.config, new URL(this.#src, base), this.#owner, loaded);
  }
}
