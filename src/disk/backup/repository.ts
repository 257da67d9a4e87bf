import fs from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { randomUuid } from '../../runtime/random.ts';
import { ensureDirectory } from '../directories.ts';
import { systemCode } from '../journal/disk-error.ts';
import { syncPath } from '../root/durable.ts';
import { isDraft } from '../spelling.ts';
import { repositoryFailure, unusable } from './backup-error.ts';
import { BACKUP_FORMAT, decodeManifest, encodeManifest, isManifestName, timeInName, type BackupManifest } from './manifest.ts';

/** What makes a directory a repository; written last when one is made. */
const MARK = 'holdfast-backups.json';

/** A backup, by the name of its manifest. */
export interface BackupName {
  readonly name: string;
  /** When it was begun, in milliseconds since 1970. */
  readonly time: number;
}

/**
 * A directory that holds backups. Invariants:
 * - a backup is there once its manifest has its name, and all that it names is on the disk before that;
 * - nothing that has its name is changed; only `prune` removes anything, and manifests before what they name;
 * - so whatever is killed at any point, all backups that are listed are whole.
 */
export class Repository {
  readonly path: string;

  private constructor(directory: string) {
    this.path = directory;
  }

  /** @throws HoldfastError backup-unusable where there is none, or a newer one */
  static open(directory: string): Repository {
    const format = formatOf(directory);
    if (format === null) throw unusable(directory, 'is not a directory of backups');
    if (format > BACKUP_FORMAT) throw unusable(directory, `has format ${format}, made by a newer version of Holdfast; this one knows up to ${BACKUP_FORMAT}`);
    return new Repository(directory);
  }

  /** The same, made where nothing is. @throws HoldfastError also for a directory of somebody else's */
  static ensure(directory: string): Repository {
    if (formatOf(directory) !== null) return Repository.open(directory);
    try {
      ensureDirectory(directory);
      requireNothingForeign(directory);
      for (const name of ['new', 'chunks', 'backups']) ensureDirectory(path.join(directory, name));
      writeInPlace(directory, MARK, `${JSON.stringify({ format: BACKUP_FORMAT })}\n`);
    } catch (error) {
      throw repositoryFailure(directory, 'write to', error);
    }
    return Repository.open(directory);
  }

  /** Those that are there, the oldest first. @throws HoldfastError */
  backups(): BackupName[] {
    try {
      const names = fs.readdirSync(path.join(this.path, 'backups')).filter(isManifestName).sort();
      return names.map((name) => ({ name, time: timeInName(name) }));
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return [];
      throw repositoryFailure(this.path, 'read', error);
    }
  }

  /** @throws HoldfastError backup-damaged, backup-unusable */
  read({ name }: BackupName): BackupManifest {
    let text: string;
    try {
      text = fs.readFileSync(path.join(this.path, 'backups', name), 'utf8');
    } catch (error) {
      throw repositoryFailure(this.path, 'read', error);
    }
    return decodeManifest(name, text);
  }

  /** Adds a backup, all of whose chunks are on the disk. */
  write(manifest: BackupManifest): BackupName {
    const { name, text } = encodeManifest(manifest);
    try {
      writeInPlace(this.path, path.join('backups', name), text);
    } catch (error) {
      throw repositoryFailure(this.path, 'write to', error);
    }
    return { name, time: manifest.time };
  }

  /** The chunks that were only it may be removed afterwards, not before. */
  remove({ name }: BackupName): void {
    try {
      fs.rmSync(path.join(this.path, 'backups', name), { force: true });
    } catch (error) {
      throw repositoryFailure(this.path, 'write to', error);
    }
  }

  /** Makes it durable that backups were removed. */
  settle(): void {
    try {
      syncPath(path.join(this.path, 'backups'));
    } catch (error) {
      throw repositoryFailure(this.path, 'write to', error);
    }
  }

  /** Removes what killed backups were writing. Only for who holds the lock. */
  sweep(): void {
    try {
      const drafts = path.join(this.path, 'new');
      ensureDirectory(drafts);
      for (const name of fs.readdirSync(drafts)) if (isDraft(name)) fs.rmSync(path.join(drafts, name), { force: true });
    } catch (error) {
      throw repositoryFailure(this.path, 'write to', error);
    }
  }
}

/** Null: there is nothing that says so. */
function formatOf(directory: string): number | null {
  let text: string;
  try {
    text = fs.readFileSync(path.join(directory, MARK), 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error))) return null;
    throw repositoryFailure(directory, 'read', error);
  }
  const format: unknown = attempt(() => (JSON.parse(text) as { format?: unknown } | null)?.format);
  if (typeof format !== 'number') throw unusable(directory, `holds a ${MARK} that makes no sense`);
  return format;
}

function attempt<T>(body: () => T): T | undefined {
  try {
    return body();
  } catch {
    return undefined;
  }
}

/** What a killed creator may have left is none. */
function requireNothingForeign(directory: string): void {
  const ours = new Set(['new', 'chunks', 'backups']);
  const foreign = fs.readdirSync(directory).find((name) => !ours.has(name) || fs.readdirSync(path.join(directory, name)).some((each) => !isDraft(each)));
  if (foreign === undefined) return;
  throw new HoldfastError('backup-unusable', `${directory} is not a directory of backups, and not empty: it has '${foreign}'. Choose a directory of its own.`);
}

/** Writes a file beside its place, on the disk, and gives it its name, durably. */
function writeInPlace(repository: string, name: string, text: string): void {
  const draft = path.join(repository, 'new', randomUuid());
  const target = path.join(repository, name);
  try {
    fs.writeFileSync(draft, text, { flag: 'wx', mode: 0o600 });
    syncPath(draft);
    fs.renameSync(draft, target);
  } catch (error) {
    fs.rmSync(draft, { force: true });
    throw error;
  }
  syncPath(path.dirname(target));
}
