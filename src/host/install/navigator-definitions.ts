import { illegalInvocation } from '../../webidl/interface.ts';
import type { LockManager } from '../../web-locks/lock-manager.ts';
import type { StorageManager } from '../../storage/storage-manager.ts';
import { attribute, interfaceObject } from './definition.ts';
import type { Definition } from './definition.ts';
import { Navigator, ownNavigator } from './navigator.ts';
import type { InstallSettings } from './settings.ts';

/** What the navigator's getters give: the current client's objects. */
export interface NavigatorSource {
  readonly storage: StorageManager;
  readonly locks: LockManager;
}

/** The target's navigator, and what must be defined for a target that has none. */
function navigatorOf(target: object): { navigator: object; definitions: Definition[] } {
  if ('navigator' in target && typeof target.navigator === 'object' && target.navigator !== null) {
    return { navigator: target.navigator, definitions: [] };
  }
  const navigator = ownNavigator();
  const holder = {
    get navigator() {
      return navigator;
    },
  };
  return { navigator, definitions: [attribute(target, holder, 'navigator'), interfaceObject(target, 'Navigator', Navigator)] };
}

/** Where attributes of a navigator go: on its interface's prototype, unless it is a plain object that somebody made. */
function attributeHome(navigator: object): object {
  const prototype: unknown = Object.getPrototypeOf(navigator);
  return typeof prototype === 'object' && prototype !== null && prototype !== Object.prototype ? prototype : navigator;
}

/**
 * `navigator.storage` and `navigator.locks`. https://storage.spec.whatwg.org/#navigatorstorage and
 * https://w3c.github.io/web-locks/#navigator-mixins
 */
export function navigatorDefinitions(settings: InstallSettings, source: NavigatorSource): Definition[] {
  const chosen = (['storage', 'locks'] as const).filter((name) => settings.globals.has(`navigator.${name}`));
  if (chosen.length === 0) return [];
  const { navigator, definitions } = navigatorOf(settings.target);
  const requireNavigator = (value: unknown): void => {
    if (value !== navigator) throw illegalInvocation('Navigator');
  };
  const holder = {
    get storage() {
      requireNavigator(this);
      return source.storage;
    },
    get locks() {
      requireNavigator(this);
      return source.locks;
    },
  };
  const home = attributeHome(navigator);
  return [...definitions, ...chosen.map((name) => attribute(home, holder, name))];
}
