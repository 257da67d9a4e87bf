import { isObject } from '../../runtime/brands.ts';
import { domException } from '../../webidl/dom-exception.ts';
import { illegalInvocation } from '../../webidl/interface.ts';
import { currentClient } from '../context.ts';
import type { StorageClient } from '../storage-client.ts';
import { asWebError } from '../web-error.ts';
import { broadcastChannel } from '../broadcast-channel/provide.ts';
import { attribute, deferredInterfaceObject } from './definition.ts';
import type { Definition } from './definition.ts';
import { interfaceDefinitions } from './interfaces.ts';
import { navigatorDefinitions } from './navigator-definitions.ts';
import type { InstallSettings } from './settings.ts';

/** Gives the client whose storage the globals are now. */
export function clientSource({ outside }: InstallSettings): () => StorageClient {
  let client: StorageClient | undefined;
  const clientOutside = (): StorageClient => {
    if (outside !== null) return (client ??= outside());
    throw domException(
      'SecurityError',
      'Storage was asked for outside any run(), where no origin has been chosen. ' +
        "Use it inside host.run(origin, ...), or give install() an 'origin' (or outside: 'default').",
    );
  };
  return () => currentClient() ?? clientOutside();
}

/** Reads an attribute of the current client as the web's code may see it fail. */
function readAttribute<K extends 'localStorage' | 'sessionStorage' | 'storage' | 'locks' | 'storageBuckets' | 'indexedDB' | 'caches' | 'channels'>(
  current: () => StorageClient,
  name: K,
): StorageClient[K] {
  try {
    return current()[name];
  } catch (error) {
    throw asWebError(error);
  }
}

/** https://html.spec.whatwg.org/multipage/webstorage.html#dom-localstorage and its counterpart for sessions */
function webStorageDefinitions(settings: InstallSettings, current: () => StorageClient): Definition[] {
  if (settings.exposure === 'worker') return [];
  const holder = {
    get localStorage() {
      return readAttribute(current, 'localStorage');
    },
    get sessionStorage() {
      return readAttribute(current, 'sessionStorage');
    },
  };
  return (['localStorage', 'sessionStorage'] as const)
    .filter((name) => settings.globals.has(name))
    .map((name) => attribute(settings.target, holder, name));
}

/** https://w3c.github.io/IndexedDB/#dom-windoworworkerglobalscope-indexeddb and https://w3c.github.io/ServiceWorker/#self-caches */
function scopeDefinitions({ target, globals, exposure }: InstallSettings, current: () => StorageClient): Definition[] {
  // A global's attributes can be read without it. https://webidl.spec.whatwg.org/#dfn-attribute-getter
  // Where no realm of the web is asked for, on anything: in a context of node:vm the global object is another than its target.
  const requireGlobal = (value: unknown): void => {
    if (exposure !== 'all' && value !== undefined && value !== null && value !== target && value !== globalThis) throw illegalInvocation('WindowOrWorkerGlobalScope');
  };
  const holder = {
    get indexedDB() {
      requireGlobal(this);
      return readAttribute(current, 'indexedDB');
    },
    get caches() {
      requireGlobal(this);
      return readAttribute(current, 'caches');
    },
  };
  const home = exposure === 'worker' ? workerPrototype(target) : target;
  return (['indexedDB', 'caches'] as const).filter((name) => globals.has(name)).map((name) => attribute(home, holder, name));
}

/** Attributes of a window's global object are its own, those of a worker's are inherited. */
function workerPrototype(target: object): object {
  const scope: unknown = Reflect.get(target, 'WorkerGlobalScope');
  return typeof scope === 'function' && isObject(scope.prototype) ? scope.prototype : target;
}

/** https://html.spec.whatwg.org/#broadcastchannel */
function channelDefinitions({ target, globals }: InstallSettings, current: () => StorageClient): Definition[] {
  if (!globals.has('BroadcastChannel')) return [];
  const make = (): unknown => broadcastChannel.code.channelInterface(() => readAttribute(current, 'channels'));
  return [deferredInterfaceObject(target, 'BroadcastChannel', make)];
}

/** What an install defines for nearly every program. */
export function globalDefinitions(settings: InstallSettings, current: () => StorageClient): Definition[] {
  return [
    ...interfaceDefinitions(settings),
    ...webStorageDefinitions(settings, current),
    ...scopeDefinitions(settings, current),
    ...channelDefinitions(settings, current),
    ...navigatorDefinitions(settings, (name) => readAttribute(current, name)),
  ];
}
