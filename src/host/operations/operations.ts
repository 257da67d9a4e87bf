import { withMaintenance } from '../../disk/maintenance/maintenance-lock.ts';
import { deleteOrigin, hasOrigin, pathOfOrigin } from '../../disk/maintenance/replace-origin.ts';
import { BucketDirectory } from '../../disk/root/bucket-directory.ts';
import { isEncrypted } from '../../disk/root/encrypted.ts';
import type { OriginVault } from '../../disk/root/origin-vault.ts';
import { bucketsOf } from '../../disk/root/origins.ts';
import { Root } from '../../disk/root/root.ts';
import { isObject } from '../../runtime/brands.ts';
import { exportOrigins, exportStream, requireOrigins } from '../archive/export-origins.ts';
import { importOrigins } from '../archive/import-origins.ts';
import { backup } from '../backup/code.ts';
import type { BackupOptions, BackupResult } from '../backup/types.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { encryptionPart } from '../encryption/provide.ts';
import { bad, givenOptions, requireOneOf } from '../option-checks.ts';
import type { StorageHostOptions } from '../options.ts';
import { parseOrigin, type OriginLike } from '../origin.ts';
import { StorageHost } from '../storage-host.ts';
import { syncSettings } from '../sync/options.ts';
import type { Hub } from '../../sync/hub.ts';
import { encryptCoordinators, forgetAlarms, moveCoordinators, rewriteCoordinators } from './coordinators.ts';
import { moveJournals } from './move-journals.ts';
import { rewriteFiles } from './rewrite-files.ts';
import { rekeyHub } from './rekey-hub.ts';
import { whileFilesRest } from './rest.ts';
import { summaries } from './origins.ts';
import type { ExportOptions, ImportedOrigin, ImportOptions, OriginSummary, RekeyOptions } from './types.ts';

/** What is done to whole origins of a host's root. */
export class Operations {
  readonly #root: Root;
  readonly #options: StorageHostOptions;
  readonly #drop: (origin: string) => Promise<void>;

  /** `drop`: closes what the host has of an origin, and forgets it. */
  constructor(root: Root, options: StorageHostOptions, drop: (origin: string) => Promise<void>) {
    this.#root = root;
    this.#options = options;
    this.#drop = drop;
  }

  origins(): AsyncGenerator<OriginSummary, void> {
    return summaries(this.#root);
  }

  async delete(origin: OriginLike): Promise<boolean> {
    const name = parseOrigin(origin);
    const root = this.#root;
    if (root.open() === null) return false;
    await this.#drop(name);
    if (!hasOrigin(root, name)) return false;
    return withMaintenance(root, async () => {
      const isDeleted = await deleteOrigin(root, name);
      forgetAlarms(root, name);
      return isDeleted;
    });
  }

  async rekey(origin: OriginLike, options: RekeyOptions): Promise<boolean> {
    const { dataKey = false, files = false, hub = this.#hubOf(origin) } = givenOptions(options, ['dataKey', 'files', 'hub'], 'rekey()');
    if (typeof dataKey !== 'boolean' || typeof files !== 'boolean') throw bad("Options 'dataKey' and 'files' must be true or false.");
    const { name, vault } = await this.#vaultOf(origin, 'rekey()');
    const place = new BucketDirectory(this.#root, name, 'default');
    place.requirePlain();
    const isChanged = await withMaintenance(this.#root, async () => {
      const isRewrapped = await vault.rewrap(dataKey);
      if (dataKey || files) await this.#moveJournals(name, vault, files);
      return isRewrapped;
    });
    if (files) await this.#rewrite(name, vault);
    const isChangedThere = hub !== null && (await rekeyHub(hub, vault.rootKeys, dataKey));
    return isChanged || isChangedThere;
  }

  /** The hub that the host has for an origin; null: none. */
  #hubOf(origin: OriginLike): Hub | null {
    const { sync, shared } = this.#options;
    const settings = sync === undefined ? undefined : syncSettings(sync, shared);
    return settings?.includes(parseOrigin(origin)) === true ? settings.hub : null;
  }

  async encrypt(origin: OriginLike): Promise<boolean> {
    const { name, vault } = await this.#vaultOf(origin, 'encrypt()');
    const wasPlain = await withMaintenance(this.#root, async () => {
      const isPlain = !isEncrypted(pathOfOrigin(this.#root, name));
      vault.ensure();
      await encryptCoordinators(this.#root, name, vault);
      await this.#moveJournals(name, vault, true);
      return isPlain;
    });
    if (vault.isMigrating) await this.#rewriteFiles(name, vault, 'in use, and not encrypted yet');
    const left = await this.#whileAllRests(name, vault, async () => vault.endMigration());
    if (left.length > 0) throw leftOf(name, left, 'not encrypted yet');
    return wasPlain;
  }

  #whileAllRests(origin: string, vault: OriginVault, body: () => Promise<readonly string[]>): Promise<readonly string[]> {
    return withMaintenance(this.#root, () => whileFilesRest(this.#root, origin, vault, body));
  }

  async #vaultOf(origin: OriginLike, what: string): Promise<{ readonly name: string; readonly vault: OriginVault }> {
    const name = parseOrigin(origin);
    const vault = this.#root.vaults?.of(name);
    if (vault === undefined) throw bad(`${what} needs the host's option 'encryption'.`);
    if (this.#root.open() === null || !hasOrigin(this.#root, name)) throw new HoldfastError('origin-missing', `The root ${this.#root.path} has nothing of ${name}.`);
    await vault.prepare();
    return { name, vault };
  }

  async #moveJournals(origin: string, vault: OriginVault, isPurged: boolean): Promise<void> {
    const keys = vault.place('default');
    // The default one first: it knows the others.
    for (const bucket of bucketsOf(pathOfOrigin(this.#root, origin), keys)) {
      await moveJournals({ root: this.#root, origin, path: bucket.path, keys: bucket.keys ?? keys, isPurged });
    }
    await moveCoordinators(this.#root, origin, vault, isPurged);
  }

  /** Files get the active key, and those that nothing bears any more go. */
  async #rewrite(origin: string, vault: OriginVault): Promise<void> {
    await this.#rewriteFiles(origin, vault, 'in use, and have the key that they had');
    const left = await this.#whileAllRests(origin, vault, async () => vault.retire());
    if (left.length > 0) throw leftOf(origin, left, 'in use: no key was forgotten');
  }

  async #rewriteFiles(origin: string, vault: OriginVault, what: string): Promise<void> {
    const host = this.#openHost(this.#root.path);
    try {
      const inUse = [...(await rewriteFiles(host.client(origin))), ...(await rewriteCoordinators(host, this.#root, origin, vault))];
      if (inUse.length > 0) throw leftOf(origin, inUse, what);
    } finally {
      await host.close();
    }
  }

  export(origin: OriginLike | readonly OriginLike[], options: ExportOptions): ReadableStream<Uint8Array> {
    const { bucket, plain = false } = givenOptions(options, ['bucket', 'plain'], 'exportOrigin()');
    if (typeof plain !== 'boolean') throw bad("Option 'plain' must be true or false.");
    const given: readonly OriginLike[] = Array.isArray(origin) ? origin : [origin];
    const origins = given.map((each) => parseOrigin(each));
    requireOrigins(this.#root, origins, bucket);
    return exportStream(exportOrigins(this.#root, origins, { only: bucket, isPlain: plain })) as ReadableStream<Uint8Array>;
  }

  async import(stream: AsyncIterable<Uint8Array>, options: ImportOptions): Promise<ImportedOrigin[]> {
    const { origin, bucket = null, existing } = givenOptions(options, ['origin', 'bucket', 'existing'], 'importOrigin()');
    if (!isObject(stream) || typeof stream[Symbol.asyncIterator] !== 'function') throw bad('importOrigin() takes a ReadableStream of bytes, or another asynchronous iterable.');
    return importOrigins(stream, {
      root: this.#root,
      openHost: (root) => this.#openHost(root),
      rootAt: (directory) => this.#rootAt(directory),
      replacing: this.#drop,
      bucket,
      origin: origin === undefined ? null : parseOrigin(origin),
      existing: requireOneOf('existing', existing ?? 'refuse', ['refuse', 'merge', 'replace']),
    });
  }

  backup(to: string | URL, options: BackupOptions): Promise<BackupResult> {
    return backup(this.#root, to, options);
  }

  #rootAt(directory: string): Root {
    const { encryption } = this.#options;
    return new Root(directory, 'relaxed', this.#root.shared, encryption && encryptionPart.code.createVaults(directory, encryption));
  }

  /** Syncs nothing: what is imported is a change like any other, which the hosts that sync bring to the hub. */
  #openHost(root: string): StorageHost {
    const options = { ...this.#options, sync: undefined } as unknown as StorageHostOptions;
    return new StorageHost({ ...options, root });
  }
}

/** Something is left of an origin, which is tried again. */
function leftOf(origin: string, left: readonly string[], what: string): HoldfastError {
  const named = left.slice(0, 3).map((each) => `'${each}'`);
  const more = left.length > named.length ? `, and ${left.length - named.length} more` : '';
  return new HoldfastError('root-busy', `Of ${origin} these are ${what}: ${named.join(', ')}${more}. Run it again later.`);
}
