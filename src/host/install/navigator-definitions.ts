import { illegalInvocation } from '../../webidl/interface.ts';
import { attribute, interfaceObject } from './definition.ts';
import type { Definition } from './definition.ts';
import { Navigator, ownNavigator } from './navigator.ts';
import type { InstallSettings } from './settings.ts';

const names = ['storage', 'locks', 'storageBuckets'] as const;
export type NavigatorAttribute = (typeof names)[number];

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
 * `navigator.storage`, `navigator.locks` and `navigator.storageBuckets`. https://storage.spec.whatwg.org/#navigatorstorage,
 * https://w3c.github.io/web-locks/#navigator-mixins and https://wicg.github.io/storage-buckets/#navigatorstoragebuckets
 */
export function navigatorDefinitions(settings: InstallSettings, source: (name: NavigatorAttribute) => object): Definition[] {
  const chosen = names.filter((name) => settings.globals.has(`navigator.${name}`));
  if (chosen.length === 0) return [];
  const { navigator, definitions } = navigatorOf(settings.target);
  const requireNavigator = (value: unknown): void => {
    if (value !== navigator) throw illegalInvocation('Navigator');
  };
  const holderOf = (name: NavigatorAttribute): Record<string, unknown> => ({
    get [name]() {
      requireNavigator(this);
      return source(name);
    },
  });
  const home = attributeHome(navigator);
  return [...definitions, ...chosen.map((name) => attribute(home, holderOf(name), name))];
}
