import { AsyncLocalStorage, createHook } from 'node:async_hooks';

/** A page that a window shows, or has shown: what belongs to it ends with it. */
export class Page {
  readonly #end = new AbortController();

  /** Aborted when the window is closed, removed or navigated. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  get gone(): boolean {
    return this.signal.aborted;
  }

  end(): void {
    this.#end.abort();
  }
}

/**
 * Which page a promise belongs to. All pages of a test share one realm, but a browser reports a rejection that nobody
 * handles to the window whose code made the promise, and to none once the page is gone.
 */
const running = new AsyncLocalStorage<Page>();
const owners = new WeakMap<object, Page>();

/** From now on every promise has an owner. It costs time, so only tests with several windows ask for it. */
export function trackPromises(): void {
  createHook({
    init(_id, type, _trigger, resource) {
      const page = type === 'PROMISE' ? running.getStore() : undefined;
      if (page !== undefined) owners.set(resource, page);
    },
  }).enable();
}

/** Runs code of a page: the promises that it makes are the page's. */
export function runAs<Result>(page: Page, code: () => Result): Result {
  return running.run(page, code);
}

export function isOfGonePage(promise: object): boolean {
  return owners.get(promise)?.gone ?? false;
}
