import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { givenOptions, requireOneOf } from '../option-checks.ts';
import type { StorageHostOptions } from '../options.ts';
import { parseOrigin } from '../origin.ts';
import type { OriginLike } from '../origin.ts';
import { StorageHost } from '../storage-host.ts';
import { isWorkerRealm } from './realm.ts';
import { defaultOrigin, defaultRoot, globalNames } from './settings.ts';
import type { GlobalName, InstallSettings } from './settings.ts';

/** Which realm's interfaces exist: a window's, a worker's, or both. */
export type Exposure = 'all' | 'standard' | 'window' | 'worker';

/** Options of {@link install}; those of the host are for the host that it makes. */
export interface InstallOptions extends Partial<StorageHostOptions> {
  /** An open host to use, instead of `root`, `quota`, `durability` and `shared`, which make one. */
  readonly host?: StorageHost;
  /** The origin whose storage the globals are outside any `run`. `http://localhost` by default. */
  readonly origin?: OriginLike;
  /** Which globals to install; all by default. */
  readonly globals?: readonly GlobalName[];
  /**
   * What reading a global outside any `run` gives: the storage of `origin` (`default`), or a SecurityError (`throw`).
   * `throw` is the default when no origin is given, so that a lost context can never become another tenant's data.
   */
  readonly outside?: 'default' | 'throw';
  /**
   * `all` (the default): everything. `window`: what a window has, so no sync access handles. `worker`: what a dedicated
   * worker has, so no Web Storage and no `persist()`. `standard`: as `worker` in a worker thread, else as `window`.
   */
  readonly exposure?: Exposure;
  /**
   * Routes `addEventListener('storage')`, its counterparts and `onstorage` on the target to the current client.
   * Other types of events go where they went before.
   */
  readonly events?: boolean;
  /** Makes file system handles pass through `structuredClone`, MessagePort, Worker and BroadcastChannel. */
  readonly structuredClone?: boolean;
  /** What becomes of a runtime's own globals of these names: `replace` them (the default) or `keep` them. */
  readonly native?: 'replace' | 'keep';
  /** The object to install on; `globalThis` by default. */
  readonly target?: object;
}

const known = [
  'host', 'root', 'quota', 'durability', 'shared', 'origin', 'globals', 'outside', 'exposure', 'events', 'structuredClone',
  'native', 'target',
] as const;

function bad(message: string): HoldfastError {
  return new HoldfastError('bad-option', message);
}

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

function exposureHere(value: unknown): InstallSettings['exposure'] {
  const exposure = requireOneOf('exposure', value ?? 'all', ['all', 'standard', 'window', 'worker']);
  if (exposure !== 'standard') return exposure;
  return isWorkerRealm() ? 'worker' : 'window';
}

function hostFor(options: InstallOptions): { host: StorageHost; ownsHost: boolean } {
  const { host, root = defaultRoot, quota, durability, shared } = options;
  if (host === undefined) {
    const chosen = { ...(quota !== undefined && { quota }), ...(durability !== undefined && { durability }), ...(shared !== undefined && { shared }) };
    return { host: new StorageHost({ root, ...chosen }), ownsHost: true };
  }
  if (!(host instanceof StorageHost)) throw bad(`Option 'host' must be a StorageHost.`);
  for (const name of ['root', 'quota', 'durability', 'shared'] as const) {
    if (options[name] !== undefined) throw bad(`Option '${name}' belongs to the host; give one or the other.`);
  }
  return { host, ownsHost: false };
}

/** The parts of an install that not every program needs the code of. */
export interface InstallExtras {
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
  const checked = {
    origin: parseOrigin(options.origin ?? defaultOrigin),
    globals: chosenGlobals(options.globals),
    outside: requireOneOf('outside', options.outside ?? (options.origin === undefined ? 'throw' : 'default'), ['default', 'throw']),
    exposure: exposureHere(options.exposure),
    events: flag('events', options.events),
    structuredClone: flag('structuredClone', options.structuredClone),
    native: requireOneOf('native', options.native ?? 'replace', ['replace', 'keep']),
    target: targetObject(options.target),
    defersCostly: false,
  };
  return { ...checked, ...hostFor(options) };
}
