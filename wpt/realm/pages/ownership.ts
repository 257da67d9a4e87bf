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

/**
 * Gives a page's lock manager to callers of other windows of the realm: the promises that it returns are the page's,
 * whoever called. What the callback makes is not: that code is of the caller's window.
 */
export function ownRequests<Manager extends { request(...args: never[]): Promise<unknown> }>(page: Page, locks: Manager): Manager {
  const request = locks.request.bind(locks) as (...args: unknown[]) => Promise<unknown>;
  const owned = (...args: unknown[]): Promise<unknown> => {
    const promise = request(...args);
    owners.set(promise, page);
    return promise;
  };
  return Object.defineProperty(locks, 'request', { value: owned });
}

export function isOfGonePage(promise: object): boolean {
  return owners.get(promise)?.gone ?? false;
}
