import fs from 'node:fs';
import path from 'node:path';
import { releaseCoordinators } from '../../disk/coordinator/release.ts';
import { withMaintenance } from '../../disk/maintenance/maintenance-lock.ts';
import { removeTree } from '../../disk/maintenance/packages.ts';
import { hasOrigin, pathOfOrigin, replaceOrigin } from '../../disk/maintenance/replace-origin.ts';
import { syncTree } from '../../disk/root/durable.ts';
import { prepareSuccession, unlockedVault } from '../../disk/root/encrypted.ts';
import type { Root } from '../../disk/root/root.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { randomUuid } from '../../runtime/random.ts';
import { clearInterval, setInterval, wallClock } from '../../runtime/timers.ts';
import { encryptionPart } from '../encryption/provide.ts';
import type { Existing, ImportedOrigin } from '../operations/types.ts';
import type { StorageHost } from '../storage-host.ts';
import { exportOrigins } from './export-origins.ts';
import { importArchive } from './import-archive.ts';
import type { ImportArea } from './import-bucket.ts';
import { coordinatorArea } from './import-coordinator.ts';
import type { BucketHead } from './layout.ts';
import { SealedImport } from './import-sealed.ts';
import { requireMergeable } from './mergeable.ts';
import { Scratch } from './scratch.ts';

export interface ImportSettings {
  readonly root: Root;
  readonly existing: Existing;
  /** The named bucket that is imported, and nothing else; null: all is. */
  readonly bucket: string | null;
  /** Whom the data of the archive's only origin are for; null: each is imported as what it was. */
  readonly origin: string | null;
  /** Makes a host of a root, with the quotas and the durability of whoever imports. */
  openHost(root: string): StorageHost;
  /** A root at another place, with the same keys. */
  rootAt(directory: string): Root;
  /** Told before an origin is replaced. */
  replacing(origin: string): Promise<void>;
}

/** While a place in the workshop is touched this often, nobody takes it for left behind; in milliseconds. */
const TOUCH_MS = 60_000;

/**
 * Imports an archive: all of it into a root of its own first, in the workshop, where nobody sees it; then each origin
 * takes its place, or is merged into what is there. Until then a failure, or a kill, changes nothing.
 *
 * @throws HoldfastError archive-damaged, archive-newer, origin-exists, root-busy, disk-full and others
 */
export async function importOrigins(source: AsyncIterable<Uint8Array>, settings: ImportSettings): Promise<ImportedOrigin[]> {
  const { root } = settings;
  root.ensure();
  const staging = path.join(root.workshop, randomUuid());
  fs.mkdirSync(staging, { mode: 0o700 });
  const touching = setInterval(() => touch(staging), TOUCH_MS);
  touching.unref();
  try {
    const imported = await stage(source, staging, settings);
    return await withMaintenance(root, () => settle(settings.rootAt(path.join(staging, 'root')), imported, settings));
  } finally {
    clearInterval(touching);
    await removeTree(staging);
  }
}

function touch(directory: string): void {
  try {
    const now = wallClock() / 1000;
    fs.utimesSync(directory, now, now);
  } catch {
    // It has gone, and whoever needs it finds that out.
  }
}

/** What the archive has, by whom it is for. */
async function stage(source: AsyncIterable<Uint8Array>, staging: string, settings: ImportSettings): Promise<Map<string, string>> {
  const host = settings.openHost(path.join(staging, 'root'));
  const sealed = settings.rootAt(path.join(staging, 'sealed'));
  const scratch = scratchIn(staging, settings.root);
  try {
    return await importArchive(source, {
      scratch,
      accept: (origin, all, only) => acceptedAs(origin, all, only, settings),
      open: (origin, bucket, isDefault) => openArea(host, origin, bucket, isDefault, settings),
      openSealed: (source, target, head) => {
        if (!isTakenAsItIs(source, target, settings)) requireVaults(source, target, settings);
        if (sealed.ensure().foldsNames !== head.foldsNames) throw new HoldfastError('disk-unsupported', `${source} is encrypted, and of a disk that takes names in another way than that of ${settings.root.path}: export it with what is in it plain.`);
        return new SealedImport(pathOfOrigin(sealed, source), head);
      },
      takeSealed: ({ directory }, source, target) => takeSealed(directory, sealed, source, target, host, scratch, settings),
    });
  } finally {
    await host.close();
  }
}

/** Of what is imported into encrypted origins nothing is written as it is: it has a key of its own, which ends with this realm. */
function scratchIn(directory: string, { vaults }: Root): Scratch {
  return new Scratch(fs.mkdtempSync(path.join(directory, 'scratch-')), vaults === undefined ? null : encryptionPart.code.passingSealing());
}

/** Whether an encrypted origin is to be what it was: then nobody needs a key. Else it is decrypted, and encrypted anew. */
function isTakenAsItIs(source: string, target: string, { root, bucket, existing }: ImportSettings): boolean {
  return source === target && bucket === null && !(existing === 'merge' && hasOrigin(root, target));
}

function requireVaults(source: string, target: string, { root }: ImportSettings): void {
  if (root.vaults !== undefined) return;
  const what = source === target ? 'be merged into what is there, nor be imported in part' : `become ${target}`;
  throw new HoldfastError('key-missing', `${source} is encrypted in the archive, and no key was given, without which it cannot ${what}. Nothing was changed.`);
}

/** What was written as it was on the disk comes to those that were imported, as it is or by its content. */
async function takeSealed(directory: string, sealed: Root, source: string, target: string, host: StorageHost, scratch: Scratch, settings: ImportSettings): Promise<void> {
  if (isTakenAsItIs(source, target, settings)) {
    const staged = settings.rootAt(host.root);
    staged.ensure();
    return fs.renameSync(directory, pathOfOrigin(staged, target));
  }
  await importArchive(exportOrigins(sealed, [source], { isPlain: true }), { scratch, accept: () => target, open: (origin, bucket, isDefault) => openArea(host, origin, bucket, isDefault, settings) });
}

async function openArea(host: StorageHost, origin: string, bucket: BucketHead, isDefault: boolean, settings: ImportSettings): Promise<ImportArea | null> {
  if (!isWanted(bucket, isDefault, settings)) return null;
  if (settings.root.vaults !== undefined) await host.unlock(origin);
  return areaOf(host, origin, bucket, isDefault);
}

function isWanted({ name, coordinator }: BucketHead, isDefault: boolean, { bucket }: ImportSettings): boolean {
  return bucket === null || (!isDefault && coordinator === undefined && name === bucket);
}

function acceptedAs(source: string, all: readonly string[], only: string | null, { root, origin, bucket, existing }: ImportSettings): string {
  if (origin !== null && all.length > 1) {
    throw new HoldfastError('bad-option', `The archive has ${all.length} origins, which cannot all become ${origin}. Nothing was changed.`);
  }
  if (existing === 'replace' && (only ?? bucket) !== null) {
    throw new HoldfastError('bad-option', `Only the bucket '${only ?? bucket}' is imported, which cannot take the place of all that ${origin ?? source} has: it can be merged into that. Nothing was changed.`);
  }
  const target = origin ?? source;
  if (existing === 'refuse') requireAbsent(root, target);
  return target;
}

function requireAbsent(root: Root, origin: string): void {
  if (!hasOrigin(root, origin)) return;
  throw new HoldfastError('origin-exists', `The root ${root.path} has data of ${origin}; they can be merged with those of the archive, or replaced. Nothing was changed.`);
}

/** What a bucket of an origin is imported into; made where it is not there. */
async function areaOf(host: StorageHost, origin: string, bucket: BucketHead, isDefault: boolean): Promise<ImportArea | null> {
  if (bucket.coordinator !== undefined) return coordinatorArea(host, origin, bucket.name, bucket.coordinator);
  const client = host.client(origin);
  if (isDefault) {
    if (bucket.persisted) await client.storage.persist();
    return { localStorage: client.localStorage, caches: () => client.caches, indexedDB: () => client.indexedDB, getDirectory: () => client.storage.getDirectory() };
  }
  const { name, persisted, durability = 'relaxed', quota = null, expires = null } = bucket;
  if (expires !== null && expires <= wallClock()) return null;
  const named = await client.storageBuckets.open(name, { persisted, durability, quota, expires });
  return { localStorage: null, caches: () => named.caches, indexedDB: () => named.indexedDB, getDirectory: () => named.getDirectory() };
}

/** All is looked at before the first change. */
async function settle(staged: Root, imported: ReadonlyMap<string, string>, settings: ImportSettings): Promise<ImportedOrigin[]> {
  const { root, existing } = settings;
  const origins = [...imported.values()];
  if (existing === 'refuse') for (const origin of origins) requireAbsent(root, origin);
  if (existing !== 'refuse') for (const origin of origins) await unlockedVault(root, pathOfOrigin(root, origin), origin, 'it can neither be replaced nor be merged with');
  if (existing === 'merge') for (const origin of origins) if (hasOrigin(root, origin)) await requireMergeable(staged, root, origin);
  for (const origin of origins) if (existing !== 'merge' || !hasOrigin(root, origin)) await prepareSuccession(root, pathOfOrigin(staged, origin), pathOfOrigin(root, origin), origin);
  const done: ImportedOrigin[] = [];
  for (const [source, origin] of imported) done.push({ source, origin, outcome: await settleOne(staged, origin, settings) });
  return done;
}

async function settleOne(staged: Root, origin: string, settings: ImportSettings): Promise<ImportedOrigin['outcome']> {
  const { root, existing } = settings;
  if (existing === 'merge' && hasOrigin(root, origin)) {
    await merge(staged, origin, settings);
    return 'merged';
  }
  // An origin of which the archive has nothing has no directory.
  const from = pathOfOrigin(staged, origin);
  if (!fs.existsSync(from)) return 'created';
  await releaseCoordinators(root, from, origin);
  if (root.durability === 'strict') syncTree(from);
  await settings.replacing(origin);
  return (await replaceOrigin(root, origin, from)) ? 'replaced' : 'created';
}

/** The staged origin is exported once more, for which nobody writes to it, into what is there. */
async function merge(staged: Root, origin: string, { root, openHost }: ImportSettings): Promise<void> {
  if (!hasOrigin(staged, origin)) return;
  const scratch = scratchIn(staged.workshop, root);
  const host = openHost(root.path);
  try {
    if (root.vaults !== undefined) await host.unlock(origin);
    await importArchive(exportOrigins(staged, [origin], { isPlain: true }), { scratch, accept: () => origin, open: (_, bucket, isDefault) => areaOf(host, origin, bucket, isDefault) });
  } catch (cause) {
    throw new HoldfastError('disk-failed', `The archive is merged into ${origin} in part only: ${(cause as Error).message}`, { cause });
  } finally {
    await host.close();
  }
}
