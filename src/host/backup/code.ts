import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseKeep } from '../../disk/backup/keep.ts';
import { makeBackup } from '../../disk/backup/make-backup.ts';
import { prune } from '../../disk/backup/prune.ts';
import { type Restored, restoreFrom, type RestoreFromOptions } from '../../disk/backup/restore.ts';
import { hasOrigin } from '../../disk/maintenance/replace-origin.ts';
import { Root } from '../../disk/root/root.ts';
import { isUrl } from '../../runtime/brands.ts';
import { outsideContexts } from '../../runtime/callback-context.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { encryptionPart } from '../encryption/provide.ts';
import { bad, givenOptions } from '../option-checks.ts';
import { sharedOption } from '../options.ts';
import { parseOrigin } from '../origin.ts';
import { captureCode } from './capture-code.ts';
import { earlierBackups } from './earlier-backups.ts';
import { goForward, LaterWrites, openedHub } from './go-forward.ts';
import { type Goal, goalOf, hubPositionIn } from './hub-position.ts';
import type { BackupOptions, BackupResult, RestoreOptions, RestoreResult } from './types.ts';

const nothing = (): void => {};

/** @throws as `StorageHost.backup` */
export async function backup(root: Root, to: string | URL, given: BackupOptions): Promise<BackupResult> {
  const { origins, keep, onProgress = nothing, signal } = givenOptions(given, ['origins', 'keep', 'onProgress', 'signal'], 'backup()');
  const directory = pathIn(to, 'The directory of backups');
  const rules = keep === undefined ? null : parseKeep(keep);
  const names = origins?.map((origin) => parseOrigin(origin)) ?? null;
  const { name, manifest, read, stored } = await makeBackup(root, directory, { origins: names, code: captureCode, detach: outsideContexts, onProgress, signal });
  if (rules !== null) await prune(directory, rules);
  const sum = (of: 'files' | 'bytes'): number => manifest.origins.reduce((total, each) => total + each[of], 0);
  const { length } = manifest.origins;
  return { time: new Date(name.time), origins: length, files: sum('files'), bytes: sum('bytes'), read: { ...read }, stored: { ...stored }, problems: manifest.problems };
}

const restoreOptions = ['from', 'root', 'at', 'hub', 'origin', 'as', 'replace', 'skipDamaged', 'encryption', 'shared', 'onProgress'] as const;

/** @throws as `StorageHost.restore` */
export async function restore(given: RestoreOptions): Promise<RestoreResult> {
  const { from, root, at, origin, as, replace = false, skipDamaged = false, encryption, shared, onProgress = nothing } = givenOptions(given, restoreOptions, 'restore()');
  if (as !== undefined && origin === undefined) throw bad("Option 'as' is the new name of one origin: give 'origin' too.");
  const target = rootAt(pathIn(root, "Option 'root'"), sharedOption(shared), encryption);
  const directory = pathIn(from, "Option 'from'");
  const name = origin === undefined ? null : parseOrigin(origin);
  const place = hubPositionIn(at);
  const goal = place === null ? null : goalOf(place, given, name);
  if (goal !== null) requireBeside(target, as === undefined ? goal.origin : parseOrigin(as));
  const options = {
    origin: name,
    as: as === undefined ? null : parseOrigin(as),
    replace,
    skipDamaged,
    detach: outsideContexts,
    onProgress,
  };
  const { backup: taken, ...result } = goal === null
    ? await restoreFrom(directory, target, { ...options, at: momentIn(at) })
    : await restorePosition(directory, target, options, goal);
  return { time: new Date(taken.time), ...result };
}

/** From the nearest backup before it that can be brought there. */
async function restorePosition(directory: string, root: Root, options: Omit<RestoreFromOptions, 'at'>, goal: Goal): Promise<Restored> {
  let failure = new HoldfastError('backup-missing', `${directory} has no backup of ${goal.origin}, following its hub, that is not beyond that position.`);
  for await (const { backup: at, isEncrypted } of earlierBackups(directory, root, goal)) {
    const hub = await openedHub(root, goal, isEncrypted);
    try {
      return await restoreFrom(directory, root, { ...options, at, amend: (staged, as) => goForward(root, staged, as, { ...goal, hub }) });
    } catch (error) {
      if (!(error instanceof LaterWrites)) throw error;
      failure = error;
    }
  }
  throw failure;
}

/** @throws HoldfastError origin-exists */
function requireBeside(root: Root, origin: string): void {
  if (root.open() === null || !hasOrigin(root, origin)) return;
  throw new HoldfastError('origin-exists', `The root ${root.path} has ${origin}, which follows its hub on: restore a position beside it, as another origin or in another root.`);
}

function rootAt(place: string, shared: Root['shared'], encryption: RestoreOptions['encryption']): Root {
  return new Root(place, 'strict', shared, encryption && encryptionPart.code.createVaults(place, encryption));
}

function pathIn(value: unknown, what: string): string {
  if (isUrl(value) && value.href.startsWith('file:')) return fileURLToPath(value.href);
  if (typeof value !== 'string' || value === '' || value.includes('\0')) throw bad(`${what} must be the path or file: URL of a directory.`);
  return path.resolve(value);
}

function momentIn(value: RestoreOptions['at']): number | null {
  if (value === undefined) return null;
  const time = new Date(value as Date | number | string).getTime();
  if (Number.isNaN(time)) throw bad(`Option 'at' must be a time, such as '2026-11-26T09:00Z', not '${String(value)}'.`);
  return time;
}
