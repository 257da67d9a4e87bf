import fs from 'node:fs';
import { ChunkStore } from './chunk-store.ts';
import { chooseKept, type Keep } from './keep.ts';
import { linesOf } from './read-listing.ts';
import { repositoryFailure } from './backup-error.ts';
import { Repository, type BackupName } from './repository.ts';
import { withRepositoryLock, type RepositoryLock } from './repository-lock.ts';

export interface Pruned {
  readonly kept: number;
  readonly removed: readonly BackupName[];
  /** What was given back. */
  readonly chunks: number;
  readonly bytes: number;
}

/**
 * Removes backups that no rule keeps, then the chunks that none of the others names. Killed at any point, it leaves
 * backups that are whole, and chunks that the next one takes.
 *
 * @throws HoldfastError backup-busy; backup-damaged where a backup that is kept cannot be read: then no chunk is removed
 */
export async function prune(directory: string, rules: readonly Keep[]): Promise<Pruned> {
  const repository = Repository.open(directory);
  return await withRepositoryLock(directory, (lock) => pruneLocked(repository, rules, lock));
}

async function pruneLocked(repository: Repository, rules: readonly Keep[], lock: RepositoryLock): Promise<Pruned> {
  repository.sweep();
  const all = repository.backups();
  const kept = chooseKept(all, rules);
  const removed = all.filter((backup) => !kept.has(backup));
  const named = await namedBy(repository, kept);
  lock.assertHeld();
  for (const backup of removed) repository.remove(backup);
  if (removed.length > 0) repository.settle();
  return { kept: kept.size, removed, ...removeOthers(repository, named, lock) };
}

/** The chunks of some backups. Of one that cannot be read nobody knows what it needs. */
async function namedBy(repository: Repository, backups: Iterable<BackupName>): Promise<Set<string>> {
  const store = new ChunkStore(repository.path);
  const named = new Set<string>();
  const listings = new Set<string>();
  for (const backup of backups) {
    for (const { listing } of repository.read(backup).origins) {
      // Most are shared with the backup before.
      const unread = listing.filter((chunk) => !listings.has(chunk));
      for await (const line of linesOf(store, { listing: unread })) {
        if (line.kind === 'file') for (const chunk of line.file.chunks) named.add(chunk);
      }
      for (const chunk of listing) {
        named.add(chunk);
        listings.add(chunk);
      }
    }
  }
  return named;
}

/** The lock is looked at now and then: who was paused removes nothing that somebody else's backup has come to need. */
const BETWEEN_LOOKS = 64;

function removeOthers(repository: Repository, named: ReadonlySet<string>, lock: RepositoryLock): Pick<Pruned, 'chunks' | 'bytes'> {
  const store = new ChunkStore(repository.path);
  let [chunks, bytes] = [0, 0];
  for (const name of ChunkStore.names(repository.path)) {
    if (named.has(name)) continue;
    if (chunks % BETWEEN_LOOKS === 0) lock.assertHeld();
    const file = store.pathOf(name);
    try {
      bytes += fs.lstatSync(file).size;
      fs.unlinkSync(file);
    } catch (error) {
      throw repositoryFailure(repository.path, 'write to', error);
    }
    chunks += 1;
  }
  return { chunks, bytes };
}
