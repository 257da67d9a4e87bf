import type { StorageHost } from 'holdfast';
import type { Folders } from '../config.ts';
import { PageWindow } from './page-window.ts';

/** The windows of one realm. Each is a client of its own, as each window of a browser is. */
export class Browser {
  readonly folders: Folders;
  readonly #host: StorageHost;
  readonly #named = new Map<string, PageWindow>();

  constructor(host: StorageHost, folders: Folders) {
    this.#host = host;
    this.folders = folders;
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
  dispatchEvent(event: Event): boolean;
}
