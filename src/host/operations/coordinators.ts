import path from 'node:path';
import { AlarmIndex } from '../../disk/coordinator/alarm-index.ts';
import { STORAGE } from '../../disk/coordinator/coordinator-place.ts';
import { TURNS } from '../../disk/coordinator/owned-journal.ts';
import { OwnedMachine } from '../../disk/coordinator/owned-machine.ts';
import { coordinatorDirectories } from '../../disk/coordinator/survey.ts';
import { isDirectory } from '../../disk/directories.ts';
import { pathOfOrigin } from '../../disk/maintenance/replace-origin.ts';
import type { BucketPlace, PlaceKeys } from '../../disk/place.ts';
import type { OriginVault } from '../../disk/root/origin-vault.ts';
import type { Root } from '../../disk/root/root.ts';
import { internal } from '../../webidl/interface.ts';
import { Bucket } from '../bucket.ts';
import { StorageClient } from '../storage-client.ts';
import { ownerOf, type StorageHost } from '../storage-host.ts';
import { moveJournal, moveJournals } from './move-journals.ts';
import { rewriteBucket, type InUse } from './rewrite-files.ts';

/** Has the journals of all coordinators of an origin go on with the key that is active now. @throws as {@link moveJournals} */
export async function moveCoordinators(root: Root, origin: string, vault: OriginVault, isPurged: boolean): Promise<void> {
  for (const each of coordinatorDirectories(pathOfOrigin(root, origin), vault)) {
    if (each.keys !== undefined) await moveJournal(TURNS, new OwnedMachine(), { root, origin, path: each.path, keys: each.keys, isPurged });
  }
  for (const { path: bucket, encryption: keys } of storagesOf(root, origin, vault)) await moveJournals({ root, origin, path: bucket, keys, isPurged });
}

/** Forgets the alarms of an origin that was deleted: what was encrypted there nobody else could. */
export function forgetAlarms(root: Root, origin: string): void {
  const index = new AlarmIndex(root, null);
  try {
    index.forgetOrigin(origin);
  } finally {
    index.close();
  }
}

/** Rewrites the files of all coordinators, as {@link rewriteFiles} does those of the origin. */
export async function rewriteCoordinators(host: StorageHost, root: Root, origin: string, vault: OriginVault): Promise<InUse> {
  const inUse: string[] = [];
  const owner = ownerOf(host);
  for (const place of storagesOf(root, origin, vault)) {
    const bucket = new Bucket(owner, origin, place, 'coordinator');
    const client = new StorageClient(internal, bucket, `${origin}/`);
    try {
      const at = `${path.relative(pathOfOrigin(root, origin), place.path)}:`;
      await rewriteBucket({ getDirectory: () => client.storage.getDirectory(), caches: client.caches, indexedDB: client.indexedDB }, at, inUse);
    } finally {
      await client.end();
      await bucket.close();
    }
  }
  return inUse;
}

/** The buckets that coordinators of an encrypted origin have; nobody makes one by them. */
export function storagesOf(root: Root, origin: string, vault: OriginVault): (BucketPlace & { readonly encryption: PlaceKeys })[] {
  return [...coordinatorDirectories(pathOfOrigin(root, origin), vault)].flatMap(({ path: directory, storageKeys }) => {
    const storage = path.join(directory, STORAGE);
    return storageKeys !== undefined && isDirectory(storage) ? { path: storage, encryption: storageKeys, ensure: () => undefined } : [];
  });
}
