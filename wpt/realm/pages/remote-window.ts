import type { RealmConfig } from '../config.ts';
import { Peer } from '../peer.ts';
import type { Window } from './browser.ts';

/** The window of a frame in another process: all that the two can do is post messages to each other. */
export class RemoteWindow extends EventTarget implements Window {
  readonly location: URL;
  readonly #peer: Peer;

  constructor(config: RealmConfig, url: URL, owner: Window, loaded: () => void) {
    super();
    this.location = url;
    const page: RealmConfig = { ...config, kind: 'window', page: true, href: url.href, scripts: [url.href], title: null };
    this.#peer = new Peer(page, (message) => {
      if (message.type === 'loaded') return loaded();
      const event = new MessageEvent('message', { data: message.data });
      Object.defineProperty(event, 'source', { value: this });
      owner.dispatchEvent(event);
    });
  }

  postMessage(data: unknown): void {
    this.#peer.postMessage(data);
  }

  close(): void {
    this.#peer.kill();
  }
}
