import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEFAULT_QUOTA } from '../disk/map/map-state.ts';
import type { Durability } from '../disk/root/durable.ts';
import type { Vaults } from '../disk/root/origin-vault.ts';
import { requireLockfilePackage, type Shared } from '../disk/journal/lockfile.ts';
import { isUrl } from '../runtime/brands.ts';
import { inThisContext } from '../runtime/callback-context.ts';
import type { StorageWarning } from '../runtime/warning.ts';
import { bad, givenOptions, requireOneOf } from './option-checks.ts';
import { encryptionPart } from './encryption/provide.ts';
import type { EncryptionOptions } from './encryption/options.ts';
import type { SyncOptions, SyncSettings } from './sync/options.ts';
import { syncOption } from './sync/provide.ts';

/** What one origin may take. */
export interface Quotas {
  /**
   * Bytes of everything: files, with 4,096 for each file and directory, and `localStorage`. By default what the disk has
   * left, but for a reserve: a twentieth of the disk, or 128 MiB where that is less, is never written to.
   */
  readonly total?: number | undefined;
  /**
   * Bytes of UTF-16 that the keys and values of `localStorage` may take (and of each `sessionStorage`). They are set
   * aside: files may take the rest of the total. By default 10 MiB, or half of the total where that is less.
   */
  readonly localStorage?: number | undefined;
}

/** A number is the total. */
export type QuotaOption = number | Quotas | ((origin: string) => number | Quotas);

/** Options of {@link StorageHost}. */
export interface StorageHostOptions {
  /** The directory that holds all data, as a path or a `file:` URL. Created by the first write, never by a read. */
  readonly root: string | URL;
  /**
   * What each origin may take, in bytes; or a function that gives it for an origin. What does not fit is a
   * QuotaExceededError. All processes of a root should give the same.
   */
  readonly quota?: QuotaOption | undefined;
  /**
   * `relaxed` (the default): what was acknowledged survives the death of any process, but not a power failure a moment
   * later. `strict`: it is synced to the disk before the call returns.
   */
  readonly durability?: Durability | undefined;
  /**
   * `lockfile`: for a root on a network disk, where appends are not atomic. Each change then takes a lock file of the
   * package `proper-lockfile`; that is slower, and changes of others are noticed within
   * about a second where nobody reads. All users of the root must give it. By default such a disk is refused. Deno
   * needs `--allow-env` for the package.
   */
  readonly shared?: Shared | undefined;
  /**
   * Keeps the chosen origins of all regions of a deployment in one order. Reads and writes stay local: they never wait
   * for the hub, and go on without it. All processes of a root should give the same.
   */
  readonly sync?: SyncOptions | undefined;
  /**
   * Encrypts all that is written, with keys of each origin's own. Origins that were made without are refused, or encrypted
   * on the way. All processes of a root should give the same. docs/ENCRYPTION.md
   */
  readonly encryption?: EncryptionOptions | undefined;
  /**
   * Is told of what a person should know and no caller can be told by an error: a damaged record, a journal that was
   * replaced, a disk that is nearly full. Each fault once. What it throws is ignored. By default the runtime prints a
   * warning (`process.emitWarning`) once for each code and path.
   */
  readonly onWarning?: ((warning: StorageWarning) => void) | undefined;
}

/** What an origin may take, in bytes; undefined where the user has not said. */
export interface BucketQuota {
  readonly total: number | undefined;
  readonly map: number | undefined;
}

/** Options that were checked and completed. */
export interface HostSettings {
  readonly root: string;
  readonly quotaOf: (origin: string) => BucketQuota;
  readonly durability: Durability;
  readonly shared: Shared | undefined;
  readonly sync: SyncSettings | undefined;
  readonly vaults: Vaults | undefined;
  readonly onWarning: ((warning: StorageWarning) => void) | undefined;
}

function rootPath(root: unknown): string {
  if (isUrl(root)) {
    try {
      return fileURLToPath(root.href);
    } catch (cause) {
      throw bad(`Option 'root' must be a file: URL or a path, not '${root.href}'.`, cause);
    }
  }
  if (typeof root !== 'string' || root === '' || root.includes('\0')) {
    throw bad(`Option 'root' must be the path or file: URL of a directory, such as './data'.`);
  }
  return path.resolve(root);
}

function requireBytes(value: unknown): number {
  if (typeof value === 'number' && value >= 0) return Math.min(Math.floor(value), Number.MAX_SAFE_INTEGER);
  throw bad(`Option 'quota' must be a number of bytes that is not negative, or a function that gives one; got ${String(value)}.`);
}

/** The part is never more than the whole; so that files have some, it is half of it at most unless the user wants more. */
function requireQuota(value: unknown): BucketQuota {
  const isWhole = typeof value !== 'object' || value === null;
  const given: Quotas = isWhole ? { total: requireBytes(value) } : givenOptions(value, ['total', 'localStorage'], "Option 'quota'");
  const [total, map] = [given.total, given.localStorage].map((bytes) => (bytes === undefined ? bytes : requireBytes(bytes)));
  return { total, map: total === undefined ? map : Math.min(total, map ?? Math.min(DEFAULT_QUOTA, Math.floor(total / 2))) };
}

function quotaFunction(quota: unknown): HostSettings['quotaOf'] {
  if (typeof quota === 'function') return (origin) => requireQuota(quota(origin));
  const chosen = requireQuota(quota === undefined ? {} : quota);
  return () => chosen;
}

/** @throws HoldfastError bad-option */
export function sharedOption(value: unknown): Shared | undefined {
  if (value === undefined) return undefined;
  const shared = requireOneOf<Shared>('shared', value, ['lockfile']);
  requireLockfilePackage();
  return shared;
}

/** It runs in the context of whoever gave it. */
function warningOption(value: unknown): HostSettings['onWarning'] {
  if (value === undefined) return undefined;
  if (typeof value !== 'function') throw bad(`Option 'onWarning' must be a function, not ${String(value)}.`);
  return inThisContext(value as (warning: StorageWarning) => void);
}

export const hostOptions = ['root', 'quota', 'durability', 'shared', 'sync', 'encryption', 'onWarning'] as const;

/**
 * Checks the options of a host; touches no disk of its data.
 *
 * @throws HoldfastError bad-option
 */
export function hostSettings(given: StorageHostOptions): HostSettings {
  const options = givenOptions(given, hostOptions, 'StorageHost');
  const root = rootPath(options.root);
  const { encryption } = options;
  return {
    root,
    quotaOf: quotaFunction(options.quota),
    durability: requireOneOf('durability', options.durability ?? 'relaxed', ['relaxed', 'strict']),
    shared: sharedOption(options.shared),
    sync: syncOption(options.sync, options.shared),
    vaults: encryption === undefined ? undefined : encryptionPart.code.createVaults(root, encryption),
    onWarning: warningOption(options.onWarning),
  };
}
