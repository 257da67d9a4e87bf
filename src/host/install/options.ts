import { bad, givenOptions, requireOneOf } from '../option-checks.ts';
import { hostOptions } from '../options.ts';
import type { StorageHostOptions } from '../options.ts';
import { parseOrigin } from '../origin.ts';
import type { OriginLike } from '../origin.ts';
import { StorageHost } from '../storage-host.ts';
import { exposureHere } from './exposure.ts';
import { defaultOrigin, defaultRoot, globalNames } from './settings.ts';
import type { Exposure, GlobalName, InstallSettings } from './settings.ts';

/** Options of {@link install}; those of the host are for the host that it makes. */
export interface InstallOptions extends Partial<StorageHostOptions> {
  /** An open host to use, instead of `root` and the other options of a host, which make one. */
  readonly host?: StorageHost | undefined;
  /** The origin whose storage the globals are outside any `run`. `http://localhost` by default. */
  readonly origin?: OriginLike | undefined;
  /** Which globals to install; all by default. */
  readonly globals?: readonly GlobalName[] | undefined;
  /**
   * What reading a global outside any `run` gives: the storage of `origin` (`default`), or a SecurityError (`throw`).
   * `throw` is the default when no origin is given, so that a lost context can never become another tenant's data.
   */
  readonly outside?: 'default' | 'throw' | undefined;
  /**
   * `all` (the default): everything. `window`: what a window has, so no sync access handles. `worker`: what a dedicated
   * worker has, so no Web Storage and no `persist()`. `standard`: as `worker` in a worker thread, else as `window`.
   */
  readonly exposure?: Exposure | undefined;
  /**
   * Routes `addEventListener('storage')`, its counterparts and `onstorage` on the target to the current client.
   * Other types of events go where they went before.
   */
  readonly events?: boolean | undefined;
  /** Makes file system handles pass through `structuredClone`, MessagePort, Worker and BroadcastChannel. */
  readonly structuredClone?: boolean | undefined;
  /** What becomes of a runtime's own globals of these names: `replace` them (the default) or `keep` them. */
  readonly native?: 'replace' | 'keep' | undefined;
  /** The object to install on; `globalThis` by default. */
  readonly target?: object | undefined;
}

const known = [
  'host', ...hostOptions, 'origin', 'globals', 'outside', 'exposure', 'events', 'structuredClone', 'native', 'target',
] as const;

function chosenGlobals(value: unknown): ReadonlySet<GlobalName> {
  if (value === undefined) return new Set(globalNames);
  if (!Array.isArray(value)) throw bad(`Option 'globals' must be an array of ${globalNames.join(', ')}.`);
  return new Set(value.map((name: unknown) => requireOneOf('globals', name, globalNames)));
}

function flag(name: string, value: unknown): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? false;
  throw bad(`Option '${name}' must be true or false, not ${String(value)}.`);
}

function targetObject(value: unknown): object {
  if (value === undefined) return globalThis;
  if ((typeof value === 'object' && value !== null) || typeof value === 'function') return value;
  throw bad(`Option 'target' must be an object, not ${String(value)}.`);
}

/** Those that are in the options, for the host that an install makes. */
function forHost(options: InstallOptions): Partial<StorageHostOptions> {
  return Object.fromEntries(hostOptions.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]));
}

function hostFor(options: InstallOptions): { host: StorageHost; ownsHost: boolean } {
  const { host } = options;
  const own = forHost(options);
  if (host === undefined) return { host: new StorageHost({ root: defaultRoot, ...own }), ownsHost: true };
  if (!(host instanceof StorageHost)) throw bad(`Option 'host' must be a StorageHost.`);
  for (const name of Object.keys(own)) throw bad(`Option '${name}' belongs to the host; give one or the other.`);
  return { host, ownsHost: false };
}

/** The parts of an install that not every program needs the code of. */
export interface InstallExtras {
  readonly host: StorageHost;
  /** True when `host` was made for this install, and ends with it. */
  readonly ownsHost: boolean;
  readonly events: boolean;
  readonly structuredClone: boolean;
}

/**
 * Checks the options of an install; touches no disk.
 *
 * @throws HoldfastError bad-option
 * @throws DOMException SecurityError for an opaque origin
 */
export function checkInstallOptions(given: InstallOptions): InstallSettings & InstallExtras {
  const options = givenOptions(given, known, 'install()');
  const origin = parseOrigin(options.origin ?? defaultOrigin);
  const outside = requireOneOf('outside', options.outside ?? (options.origin === undefined ? 'throw' : 'default'), ['default', 'throw']);
  const checked = {
    globals: chosenGlobals(options.globals),
    exposure: exposureHere(options.exposure ?? 'all'),
    events: flag('events', options.events),
    structuredClone: flag('structuredClone', options.structuredClone),
    native: requireOneOf('native', options.native ?? 'replace', ['replace', 'keep']),
    target: targetObject(options.target),
  };
  const { host, ownsHost } = hostFor(options);
  return { ...checked, host, ownsHost, outside: outside === 'throw' ? null : () => host.origin(origin) };
}
