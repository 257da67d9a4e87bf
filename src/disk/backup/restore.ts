import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { COORDINATORS } from '../coordinator/coordinator-names.ts';
import { noKeyToWake, releaseCoordinators } from '../coordinator/release.ts';
import { ensureDirectory, isDirectory } from '../directories.ts';
import { volumeFoldsNames } from '../names/probe.ts';
import { encodeOrigin } from '../names/origin.ts';
import { syncPath, syncTree } from '../root/durable.ts';
import { rootFailure } from '../root/failure.ts';
import { publishManifest } from '../root/manifest.ts';
import { isEncrypted, isKeyStored, prepareSuccession, unlockedVault } from '../root/encrypted.ts';
import { KEYS } from '../root/origin-vault.ts';
import type { Root } from '../root/root.ts';
import { DamagedChunk } from './backup-error.ts';
import { ChunkStore } from './chunk-store.ts';
import { decodeLines, pathOf } from './listing.ts';
import type { BackedUpOrigin, BackupManifest, BackupProblem } from './manifest.ts';
import { deleteOrigin, pathOfOrigin } from '../maintenance/replace-origin.ts';
import { withMaintenance } from '../maintenance/maintenance-lock.ts';
import { originsOf, type OriginPlace } from '../root/origins.ts';
import { Repository, type BackupName } from './repository.ts';
import { Stage, type LostFile } from './stage.ts';
import { takePlace } from './take-place.ts';

export interface RestoreFromOptions {
  /** That backup; or the last one that was begun by then, in milliseconds since 1970; by default the last one. */
  readonly at: BackupName | number | null;
  /** The origin to bring back; by default all, and the root has no others afterwards but those that the backup could not take. */
  readonly origin: string | null;
  /** The name that it gets; by default its own. */
  readonly as: string | null;
  /** Whether it may take the place of what is there. */
  readonly replace: boolean;
  /** Whether files that the repository has lost are left out; otherwise nothing is restored then. */
  readonly skipDamaged: boolean;
  /** Changes an origin before anybody sees it, under the name that it gets. */
  readonly amend?: (staged: string, as: string) => Promise<void>;
  readonly detach: <T>(body: () => T) => T;
  readonly onProgress: (progress: { readonly done: number; readonly total: number; readonly bytes: number }) => void;
}

export interface Restored {
  readonly backup: BackupName;
  readonly origins: readonly string[];
  readonly files: number;
  readonly bytes: number;
  /** What could not be restored. */
  readonly lost: readonly LostFile[];
  /** What the backup lacks of what was to be restored. */
  readonly problems: readonly BackupProblem[];
}

/**
 * Brings origins back from a repository. All is read, checked and written beside first, so that whatever is missing or
 * damaged, and a full disk, leave the root as it was. Then each origin takes its place by a rename.
 *
 * @throws HoldfastError backup-unusable, backup-missing, backup-damaged, disk-full, root-unusable, root-busy,
 * origin-exists for an origin that is there without `replace`
 */
export async function restoreFrom(directory: string, root: Root, options: RestoreFromOptions): Promise<Restored> {
  const repository = Repository.open(directory);
  const { backup, manifest, origins, problems } = choose(repository, options);
  const targets = origins.map((origin) => ({ origin, as: options.as ?? origin.origin }));
  if (root.open() === null) for (const { origin, as } of targets) await requireKeyOf(origin, as, root, { directory, skipDamaged: options.skipDamaged });
  await prepareRoot(root, manifest, options, targets.map(({ as }) => as));
  if (!options.replace) requireFree(root, targets.map(({ as }) => as));
  const stage = stageIn(root, new ChunkStore(directory), options);
  try {
    const staged: { readonly as: string; readonly path: string }[] = [];
    for (const [index, { origin, as }] of targets.entries()) {
      const tell = (): void => options.onProgress({ done: index, total: targets.length, bytes: stage.bytes });
      tell();
      const place = await stage.build(origin, as, tell);
      await rebind(root, place, origin.origin, as);
      await options.amend?.(place, as);
      await release(root, as, place);
      staged.push({ as, path: place });
    }
    await withMaintenance(root, async () => {
      for (const { as, path: from } of staged) await prepareSuccession(root, from, pathOfOrigin(root, as), as);
      for (const { as, path: from } of staged) await takePlace(root, as, from, options.detach);
      if (options.origin === null) for (const { origin } of withdrawn(root, manifest)) await deleteOrigin(root, origin);
    });
    if (root.durability === 'strict') syncPath(root.origins);
    options.onProgress({ done: targets.length, total: targets.length, bytes: stage.bytes });
    return { backup, origins: targets.map(({ as }) => as), files: stage.files, bytes: stage.bytes, lost: stage.lost, problems };
  } finally {
    stage.remove();
  }
}

/** Before a root is made for what cannot come there. @throws HoldfastError as {@link rebind} and {@link release}; backup-damaged */
async function requireKeyOf(origin: BackedUpOrigin, as: string, { vaults }: Root, { directory, skipDamaged }: { readonly directory: string; readonly skipDamaged: boolean }): Promise<void> {
  const store = new ChunkStore(directory);
  if (!(await needsKey(origin, as !== origin.origin, store))) return;
  if (vaults === undefined) throw as === origin.origin ? noKeyToWake(as) : noKey(origin.origin, as);
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-restore-'));
  try {
    const place = await new Stage(store, scratch, skipDamaged).build(origin, origin.origin, () => undefined, (file) => file === KEYS);
    await vaults.at(place, origin.origin).prepare();
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

/** Whether it is encrypted, and gets another name or has coordinators that have to be woken. */
async function needsKey(origin: BackedUpOrigin, isRenamed: boolean, store: ChunkStore): Promise<boolean> {
  let [hasKeys, isOpened] = [false, isRenamed];
  for (const chunk of origin.listing) {
    for (const name of await namesIn(store, chunk)) {
      hasKeys ||= name === KEYS;
      isOpened ||= name === COORDINATORS || name.startsWith(`${COORDINATORS}/`);
    }
  }
  return hasKeys && isOpened;
}

/** None where the list is damaged, of which the stage tells. */
async function namesIn(store: ChunkStore, chunk: string): Promise<string[]> {
  try {
    return Array.from(decodeLines(await store.get(chunk)), pathOf);
  } catch (error) {
    if (error instanceof DamagedChunk || error instanceof HoldfastError) return [];
    throw error;
  }
}

function noKey(from: string, to: string): HoldfastError {
  return new HoldfastError('key-missing', `The backup of ${from} is encrypted, and no key was given, without which it cannot become ${to}.`);
}

/** Keys are wrapped for one origin by name: for another one they are wrapped anew. */
async function rebind(root: Root, staged: string, from: string, to: string): Promise<void> {
  if (from === to || !isEncrypted(staged)) return;
  if (root.vaults === undefined) throw noKey(from, to);
  await root.vaults.rebind(staged, from, to);
}

/** Of coordinators nobody is the owner any more, and all know when to wake them. */
async function release(root: Root, origin: string, staged: string): Promise<void> {
  await releaseCoordinators(root, staged, origin);
  const coordinators = path.join(staged, COORDINATORS);
  if (isDirectory(coordinators)) syncTree(coordinators);
}

function stageIn(root: Root, store: ChunkStore, { skipDamaged }: RestoreFromOptions): Stage {
  try {
    return new Stage(store, root.workshop, skipDamaged);
  } catch (error) {
    throw rootFailure('write to', root.path, error);
  }
}

interface Choice {
  readonly backup: BackupName;
  readonly manifest: BackupManifest;
  readonly origins: readonly BackedUpOrigin[];
  readonly problems: readonly BackupProblem[];
}

function choose(repository: Repository, { at, origin }: RestoreFromOptions): Choice {
  const newest = isName(at) ? at : lastBy(repository, at);
  const manifest = repository.read(newest);
  if (origin === null) return { backup: newest, manifest, origins: manifest.origins, problems: manifest.problems };
  const found = manifest.origins.find((each) => each.origin === origin);
  const problems = manifest.problems.filter((each) => each.origin === origin);
  if (found !== undefined) return { backup: newest, manifest, origins: [found], problems };
  const why = problems.map(({ message }) => `, which was left out: ${message}`).join('') || '.';
  throw new HoldfastError('backup-missing', `The backup of ${new Date(newest.time).toISOString()} has no origin ${origin}${why}`);
}

function isName(at: RestoreFromOptions['at']): at is BackupName {
  return typeof at === 'object' && at !== null;
}

function lastBy(repository: Repository, at: number | null): BackupName {
  const newest = repository.backups().findLast(({ time }) => at === null || time <= at);
  if (newest !== undefined) return newest;
  throw new HoldfastError('backup-missing', `${repository.path} has no backup${at === null ? '' : ` of ${new Date(at).toISOString()} or before`}.`);
}

function holdsOrigins(root: Root): boolean {
  // Left by a return, so that the directory is closed.
  for (const _ of originsOf(root)) return true;
  return false;
}

/** Makes the root unless it is there, with the salt of the one that was backed up. */
async function prepareRoot(root: Root, manifest: BackupManifest, { replace, origin }: RestoreFromOptions, targets: readonly string[]): Promise<void> {
  const { salt, foldsNames } = manifest;
  const before = root.open();
  if (before !== null && origin === null && !replace && holdsOrigins(root)) {
    throw new HoldfastError('origin-exists', `The root ${root.path} holds origins, and they are to be replaced only when that is asked for.`);
  }
  for (const each of before === null ? [] : [...originsOf(root)]) if (targets.includes(each.origin)) await unlockedVault(root, each.path, each.origin, 'it cannot be replaced: delete it first, or give the key');
  if (origin === null) for (const each of before === null ? [] : withdrawn(root, manifest)) if (isKeyStored(each.path)) await unlockedVault(root, each.path, each.origin, 'it cannot be deleted');
  if (before === null) makeRoot(root, salt);
  const now = root.ensure();
  if (now.foldsNames === foldsNames) return;
  throw new HoldfastError('disk-unsupported', `The backup is of a disk that takes names in another way than that of ${root.path}: export and import carry origins from one to the other.`);
}

/** Makes an empty root with a salt. @throws HoldfastError */
export function makeRoot(root: Root, salt: string): void {
  try {
    ensureDirectory(root.path);
    // Whether it may become one is for the root to say.
    if (fs.readdirSync(root.path).length > 0) return;
    fs.writeFileSync(path.join(root.path, '.gitignore'), '*\n', { flag: 'wx', mode: 0o600 });
    for (const directory of [root.workshop, root.origins]) ensureDirectory(directory);
    publishManifest(root.path, root.workshop, volumeFoldsNames(root.workshop), salt);
  } catch (error) {
    throw rootFailure('create', root.path, error);
  }
}

function requireFree(root: Root, origins: readonly string[]): void {
  const taken = origins.find((origin) => isDirectory(path.join(root.origins, encodeOrigin(origin))));
  if (taken === undefined) return;
  throw new HoldfastError('origin-exists', `The root ${root.path} has ${taken}, and it is to be replaced only when that is asked for.`);
}

/** Origins that were not there when the backup was made. One that it could not take was: what the root has of it is all there is. */
function withdrawn(root: Root, { origins, problems }: BackupManifest): OriginPlace[] {
  const known = new Set([...origins, ...problems].map(({ origin }) => origin));
  return [...originsOf(root)].filter(({ origin }) => !known.has(origin));
}
