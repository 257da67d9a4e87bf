import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { domException } from '../../webidl/dom-exception.ts';
import { currentClient } from '../context.ts';
import type { StorageClient } from '../storage-client.ts';
import { handleCodec } from '../structured-clone/handle-codec.ts';
import { installStructuredClone } from '../structured-clone/install.ts';
import { asWebError } from '../web-error.ts';
import { attribute } from './definition.ts';
import type { Definition } from './definition.ts';
import { eventDefinitions } from './event-definitions.ts';
import { interfaceDefinitions } from './interfaces.ts';
import { navigatorDefinitions } from './navigator-definitions.ts';
import { installSettings } from './options.ts';
import type { InstallOptions, InstallSettings } from './options.ts';
import { layProperty } from './property-layers.ts';

/** The client whose storage the globals are now. */
function clientSource(settings: InstallSettings): () => StorageClient {
  let outside: StorageClient | undefined;
  const clientOutside = (): StorageClient => {
    if (settings.outside === 'default') return (outside ??= settings.host.origin(settings.origin));
    throw domException(
      'SecurityError',
      'Storage was asked for outside any run(), where no origin has been chosen. ' +
        "Use it inside host.run(origin, ...), or give install() an 'origin' (or outside: 'default').",
    );
  };
  return () => currentClient() ?? clientOutside();
}

/** Reads an attribute of the current client as the web's code may see it fail. */
function readAttribute<K extends 'localStorage' | 'sessionStorage' | 'storage' | 'locks'>(
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

function allDefinitions(settings: InstallSettings, current: () => StorageClient): Definition[] {
  const navigatorSource = {
    get storage() {
      return readAttribute(current, 'storage');
    },
    get locks() {
      return readAttribute(current, 'locks');
    },
  };
  return [
    ...interfaceDefinitions(settings),
    ...webStorageDefinitions(settings, current),
    ...navigatorDefinitions(settings, navigatorSource),
    ...(settings.events && settings.exposure !== 'worker' ? eventDefinitions(settings.target, current) : []),
  ];
}

function define({ target, key, descriptor }: Definition): () => void {
  try {
    return layProperty(target, key, descriptor);
  } catch (cause) {
    throw new HoldfastError('bad-option', `install() cannot define '${String(key)}': the target does not let it be redefined.`, {
      cause,
    });
  }
}

/**
 * Makes the web's storage global: `localStorage`, `sessionStorage`, `navigator.storage`, `navigator.locks` and the
 * interface objects. Inside `host.run()` they are that client's; outside, what the option `outside` says. Nothing is
 * read from or written to the disk before they are used. `window`, `self` and `document` are never defined.
 *
 * @returns what undoes it: puts back what was there, except where others have put something since; several installs
 * may be undone in any order.
 * @throws HoldfastError bad-option
 * @throws DOMException SecurityError for an opaque origin
 */
export function install(options: InstallOptions = {}): () => void {
  const settings = installSettings(options);
  const current = clientSource(settings);
  const undoing: (() => void)[] = [];
  const undo = (): void => {
    for (const step of undoing.splice(0).reverse()) step();
  };
  try {
    for (const definition of allDefinitions(settings, current)) {
      if (settings.native === 'keep' && definition.descriptor !== undefined && definition.key in definition.target) continue;
      undoing.push(define(definition));
    }
    if (settings.structuredClone) undoing.push(installStructuredClone(settings.target, handleCodec(current)));
  } catch (error) {
    undo();
    throw error;
  }
  return () => {
    undo();
    if (settings.ownsHost) void settings.host.close();
  };
}
