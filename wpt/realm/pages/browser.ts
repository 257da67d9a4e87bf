import type { StorageHost } from 'holdfast';
import type { RealmConfig } from '../config.ts';
import { workerClass } from '../worker-shim.ts';
import { PageWindow } from './page-window.ts';

/** The windows of one realm. Each is a client of its own, as each window of a browser is. */
export class Browser {
  readonly config: RealmConfig;
  readonly Worker: ReturnType<typeof workerClass>;
  readonly #host: StorageHost;
  readonly #waiting: (() => void)[] = [];
  #loading = 0;
  readonly #named = new Map<string, PageWindow>();

  constructor(host: StorageHost, config: RealmConfig) {
    this.#host = host;
    this.config = config;
    this.Worker = workerClass(config);
  }

  /** A page has loaded when its frames have; `whenLoaded` then calls back, in a later task. */
  whenLoaded(callback: () => void): void {
    if (this.#loading === 0) setTimeout(callback);
    else this.#waiting.push(callback);
  }

  /** Runs `load` in a later task, as part of the page's own loading. */
  load(load: () => void): void {
    this.#loading += 1;
    setTimeout(() => {
      try {
        load();
      } finally {
        this.#loading -= 1;
        if (this.#loading === 0) for (const callback of this.#waiting.splice(0)) setTimeout(callback);
      }
    });
  }

  client(url: URL): ReturnType<StorageHost['client']> {
    return this.#host.client(url.origin, { url: url.href });
  }

  /** https://html.spec.whatwg.org/multipage/nav-history-apis.html#dom-open-dev */
  open(opener: Window, url: string, name = '', features = ''): PageWindow | null {
    const known = this.#named.get(name);
    if (known !== undefined) return known;
    const noopener = features.includes('noopener');
    const opened = new PageWindow(this, { parent: null, opener: noopener ? null : opener });
    if (name !== '' && !name.startsWith('_')) this.#named.set(name, opened);
    opened.navigate(url === '' ? 'about:blank' : url, opener.location.href);
    return noopener ? null : opened;
  }
}

/** What the pages use of a window that may be the realm's own or a page's. */
export interface Window {
  readonly location: { readonly href: string };
  readonly top?: Window;
  dispatchEvent(event: Event): boolean;
}
