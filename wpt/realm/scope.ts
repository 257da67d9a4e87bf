import type { RealmConfig } from './config.ts';
import { define, makeGlobalEventTarget, routeUncaught } from './global-events.ts';
import { addMissingBuiltIns } from './built-ins.ts';
import { documentObjects } from './document-objects.ts';
import { FileReader } from './file-reader.ts';
import { browserFetch, connect } from './network.ts';
import { workerClass } from './worker-shim.ts';
import { XMLHttpRequest } from './xml-http-request.ts';

/**
 * What the tests' environment has on its global object and Node has not. README.md lists it; nothing here is, or
 * touches, an interface under test.
 */
export function shapeScope(config: RealmConfig): EventTarget {
  const scope = globalThis;
  const location = new URL(config.href);
  const events = makeGlobalEventTarget(scope);
  addMissingBuiltIns();
  connect(config);
  define(scope, {
    self: scope,
    location,
    // A server's own code is as trusted as a page from a secure origin: the product has no insecure mode.
    isSecureContext: true,
    // No other origin's code runs in this process but what its user has put there.
    crossOriginIsolated: true,
    GLOBAL: { isWindow: () => config.kind === 'window', isWorker: () => config.kind === 'worker', isShadowRealm: () => false },
    fetch: browserFetch(config, globalThis.fetch),
    Worker: workerClass(config),
    FileReader,
    XMLHttpRequest,
    ...documentObjects(),
    ...(config.title === null ? {} : { META_TITLE: config.title }),
  });
  routeUncaught(events);
  return events;
}

/** Makes the global object an instance of the interface that its kind has, as idlharness.js looks for. */
export function shapeGlobalInterfaces(...names: readonly string[]): void {
  let prototype: object = Object.prototype;
  for (const name of names) {
    const Interface = { [name]: class {} }[name];
    if (Interface === undefined) continue;
    Object.setPrototypeOf(Interface.prototype, prototype);
    prototype = Interface.prototype as object;
    define(globalThis, { [name]: Interface });
  }
  Object.setPrototypeOf(globalThis, prototype);
}
