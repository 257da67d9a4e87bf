import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { domException } from '../../webidl/dom-exception.ts';
import { currentClient } from '../context.ts';
import type { StorageClient } from '../storage-client.ts';
import { asWebError } from '../web-error.ts';
import { attribute } from './definition.ts';
import type { Definition } from './definition.ts';
import { interfaceDefinitions } from './interfaces.ts';
import { navigatorDefinitions } from './navigator-definitions.ts';
import { layProperty } from './property-layers.ts';
import type { InstallSettings } from './settings.ts';

/** Gives the client whose storage the globals are now. */
export function clientSource(settings: InstallSettings): () => StorageClient {
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

function globalDefinitions(settings: InstallSettings, current: () => StorageClient): Definition[] {
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

/** Undoes what was done, the last first; once. */
export type Undo = () => void;

/** Defines all of them or, when one cannot be defined, none. */
export function defineAll(definitions: readonly Definition[]): Undo {
  const undoing: Undo[] = [];
  const undo = (): void => {
    for (const step of undoing.splice(0).reverse()) step();
  };
  try {
    for (const definition of definitions) undoing.push(define(definition));
  } catch (error) {
    undo();
    throw error;
  }
  return undo;
}

/** Installs the globals that nearly every program wants. */
export function installGlobals(settings: InstallSettings, current: () => StorageClient): Undo {
  const definitions = globalDefinitions(settings, current);
  if (settings.native === 'replace') return defineAll(definitions);
  // `in` reads nothing: reading a runtime's own global may print a warning.
  return defineAll(definitions.filter(({ target, key, descriptor }) => descriptor === undefined || !(key in target)));
}
