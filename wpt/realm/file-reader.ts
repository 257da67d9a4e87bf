import { defineHandlers } from './global-events.ts';

const types = ['loadstart', 'progress', 'load', 'abort', 'error', 'loadend'] as const;

/** How tests read a Blob that are older than `blob.text()`. https://w3c.github.io/FileAPI/#APIASynch */
export class FileReader extends EventTarget {
  result: string | ArrayBuffer | null = null;
  error: unknown = null;
  readyState = 0;

  constructor() {
    super();
    defineHandlers(this, this, types);
  }

  readAsArrayBuffer(blob: Blob): void {
    this.#read(blob.arrayBuffer());
  }

  readAsText(blob: Blob): void {
    this.#read(blob.text());
  }

  #read(content: Promise<string | ArrayBuffer>): void {
    this.readyState = 1;
    void content.then(
      (result) => this.#end('load', { result }),
      (error: unknown) => this.#end('error', { error }),
    );
  }

  #end(type: 'load' | 'error', outcome: { readonly result?: string | ArrayBuffer; readonly error?: unknown }): void {
    this.readyState = 2;
    this.result = outcome.result ?? null;
    this.error = outcome.error ?? null;
    // In a task of its own, as in a browser, not in the promise's microtask.
    setImmediate(() => {
      this.dispatchEvent(new Event(type));
      this.dispatchEvent(new Event('loadend'));
    });
  }
}
