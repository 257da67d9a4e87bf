import type { Hub } from '../../sync/hub.ts';
import { bad, givenOptions, requireOneOf } from '../option-checks.ts';
import { parseOrigin } from '../origin.ts';
import type { OriginLike } from '../origin.ts';

/** Which origins a hub keeps in one order: all (the default), those listed, or those that a function says yes to. */
export type SyncedOrigins = readonly OriginLike[] | ((origin: string) => boolean);

/** How a host takes part in a hub; see docs/SYNC.md. */
export interface SyncOptions {
  /** The hub, such as `embeddedHub()`, `postgresHub()` or `natsHub()` of `holdfast/sync`. The host closes it. */
  readonly hub: Hub;
  /** This root's name among the regions, for people: up to 64 characters, each region another. */
  readonly region: string;
  readonly origins?: SyncedOrigins | undefined;
  /**
   * What is done with the files of the Origin Private File System: `lazy` (the default) fetches the content of a file
   * that another region wrote when it is first read; `eager` at once; `off` leaves files to each region.
   */
  readonly files?: 'lazy' | 'eager' | 'off' | undefined;
  /**
   * Of which of these origins the channels (`BroadcastChannel`) reach all regions, in the order of the hub: all, those
   * listed, or those that a function says yes to. By default they stay within the root.
   */
  readonly broadcast?: boolean | SyncedOrigins | undefined;
}

/** How a host takes part in a hub, checked and completed. */
export interface SyncSettings {
  readonly hub: Hub;
  readonly region: string;
  readonly includes: (origin: string) => boolean;
  readonly files: 'lazy' | 'eager' | 'off';
  /** Whether the channels of one that is included reach all regions. */
  readonly broadcasts: (origin: string) => boolean;
}

const HUB_METHODS = ['connect', 'log', 'close'] as const;

function requireHub(value: unknown): Hub {
  if (typeof value === 'object' && value !== null && HUB_METHODS.every((name) => typeof Reflect.get(value, name) === 'function')) {
    return value as Hub;
  }
  throw bad(`Option 'sync.hub' must be a hub, such as embeddedHub({ url }) of 'holdfast/sync'; got ${String(value)}.`);
}

function requireRegion(value: unknown): string {
  if (typeof value === 'string' && /^[\x21-\x7e]{1,64}$/.test(value)) return value;
  throw bad(`Option 'sync.region' must be a name of 1 to 64 printable ASCII characters without spaces, such as 'eu-west'; got ${String(value)}.`);
}

function syncedOrigins(option: string, value: unknown): SyncSettings['includes'] {
  if (typeof value === 'boolean') return () => value;
  if (typeof value === 'function') return (origin) => Boolean(value(origin));
  if (!Array.isArray(value)) throw bad(`Option 'sync.${option}' must be a list of origins, or a function that says yes to an origin.`);
  const origins = new Set(value.map((origin) => parseOrigin(origin as OriginLike)));
  return (origin) => origins.has(origin);
}

/** @throws HoldfastError bad-option */
export function syncSettings(value: unknown, shared: unknown): SyncSettings {
  if (shared !== undefined) throw bad("Options 'sync' and 'shared' exclude each other: several machines of one root need no hub between them, and a hub wants a root of each region's own.");
  const options: Partial<SyncOptions> = givenOptions(value as object, ['hub', 'region', 'origins', 'files', 'broadcast'], "Option 'sync'");
  return {
    hub: requireHub(options.hub),
    region: requireRegion(options.region),
    includes: syncedOrigins('origins', options.origins ?? true),
    files: requireOneOf('sync.files', options.files ?? 'lazy', ['lazy', 'eager', 'off']),
    broadcasts: syncedOrigins('broadcast', options.broadcast ?? false),
  };
}
