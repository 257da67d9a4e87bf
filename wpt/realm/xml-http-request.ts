import { defineHandlers } from './global-events.ts';

const types = ['readystatechange', 'load', 'error', 'loadend'] as const;

/** How tests ask a server that are older than `fetch()`: that of the realm does it. https://xhr.spec.whatwg.org/ */
export class XMLHttpRequest extends EventTarget {
  static readonly DONE = 4;
  readyState = 0;
  status = 0;
  response = '';
  #method = 'GET';
  #url = '';
  #headers = new Headers();

  constructor() {
    super();
    defineHandlers(this, this, types);
  }

  open(method: string, url: string): void {
    this.#method = method;
    this.#url = url;
    this.readyState = 1;
  }

  getResponseHeader(name: string): string | null {
    return this.#headers.get(name);
  }

  send(body: Blob | string | null = null): void {
    this.#run(body).then(
      () => this.#end('load'),
      () => this.#end('error'),
    );
  }

  async #run(body: Blob | string | null): Promise<void> {
    const response = await fetch(this.#url, { method: this.#method, body });
    this.#headers = response.headers;
    this.status = response.status;
    this.response = await response.text();
  }

  /** In a task of its own, as in a browser, not in the promise's microtask. */
  #end(type: 'load' | 'error'): void {
    this.readyState = XMLHttpRequest.DONE;
    setImmediate(() => {
      for (const each of ['readystatechange', type, 'loadend']) this.dispatchEvent(new Event(each));
    });
  }
}
