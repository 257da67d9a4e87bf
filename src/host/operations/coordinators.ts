import fs from 'node:fs';
import path from 'node:path';
import { liveAddresses } from '../../coordinator/sockets/live-addresses.ts';
import { AlarmIndex, socketsOf } from '../../disk/coordinator/alarm-index.ts';
import { COORDINATORS } from '../../disk/coordinator/coordinator-names.ts';
import { CoordinatorPlace, STORAGE } from '../../disk/coordinator/coordinator-place.ts';
import { removeEmpty } from '../../disk/coordinator/move-coordinator.ts';
import { TURNS } from '../../disk/coordinator/owned-journal.ts';
import { OwnedMachine } from '../../disk/coordinator/owned-machine.ts';
import { coordinatorDirectories, coordinatorPlaces, hasCoordinators, type FoundCoordinator } from '../../disk/coordinator/survey.ts';
import { isDirectory } from '../../disk/directories.ts';
import { tracesIn } from '../../disk/encryption/traces.ts';
import { pathOfOrigin } from '../../disk/maintenance/replace-origin.ts';
import type { BucketPlace, PlaceKeys } from '../../disk/place.ts';
import type { OriginVault } from '../../disk/root/origin-vault.ts';
import type { Root } from '../../disk/root/root.ts';
import { readNewest } from '../../disk/survey/read-newest.ts';
import { nextTurn } from '../../runtime/timers.ts';
import { internal } from '../../webidl/interface.ts';
import { Bucket } from '../bucket.ts';
import { StorageClient } from '../storage-client.ts';
import { ownerOf, type StorageHost } from '../storage-host.ts';
import { moveJournal, moveJournals } from './move-journals.ts';
import { rewriteBucket, type InUse } from './rewrite-files.ts';

/** How long whoever runs coordinators has to take a connection, in milliseconds. */
const PATIENCE_MS = 1000;

/**
 * Encrypts the coordinators of an origin that has keys by now, one after another, each as whoever runs it next would. Those
 * stay as they are that a process has which listens: it has no key, for with one it would have encrypted them first.
 *
 * @throws HoldfastError as {@link CoordinatorPlace.ensure}
 */
export async function encryptCoordinators(root: Root, origin: string, vault: OriginVault): Promise<void> {
  const directory = pathOfOrigin(root, origin);
  if (!vault.isMigrating || !hasCoordinators(directory)) return;
  const live = await liveAddresses(socketsOf(root), PATIENCE_MS);
  let isLeft = false;
  for (const each of [...coordinatorPlaces(directory, vault)]) {
    if (!(await encryptOne(each, { root, origin, vault, live }))) isLeft = true;
    await nextTurn();
  }
  for (const className of fs.readdirSync(path.join(directory, COORDINATORS))) removeEmpty(path.join(directory, COORDINATORS, className));
  // Whoever has one without a key has to find its alarm, and the others of the process do.
  if (!isLeft) renameAlarms(root, origin);
}

interface Encrypting {
  readonly root: Root;
  readonly origin: string;
  readonly vault: OriginVault;
  readonly live: ReadonlySet<string>;
}

/** False: somebody has it who has no key. */
async function encryptOne({ path: at, className, name, keys }: FoundCoordinator, { root, origin, vault, live }: Encrypting): Promise<boolean> {
  if (name === null || keys === undefined) return true;
  if (isPlain(at)) {
    const owner = readNewest(path.join(at, TURNS), () => new OwnedMachine(), keys.journal(TURNS))?.owner ?? null;
    if (owner !== null && live.has(owner.address)) return false;
  }
  const place = new CoordinatorPlace(root, { origin, className, name }, vault);
  place.move();
  if (isPlain(place.path)) await moveJournal(TURNS, new OwnedMachine(), { root, origin, path: place.path, keys, isPurged: true });
  return true;
}

/** Whether it is one of before that nobody has moved yet. */
function isPlain(coordinator: string): boolean {
  return tracesIn(path.join(coordinator, TURNS)).plain.length > 0;
}

/** Whoever has it has no key, and could read nothing that is encrypted. */
function isLeft(coordinator: string, vault: OriginVault): boolean {
  return vault.isMigrating && isPlain(coordinator);
}

function renameAlarms(root: Root, origin: string): void {
  const index = new AlarmIndex(root, undefined, 'strict');
  try {
    index.rename(origin);
  } finally {
    index.close();
  }
}

/** Has the journals of all coordinators of an origin go on with the key that is active now. @throws as {@link moveJournals} */
export async function moveCoordinators(root: Root, origin: string, vault: OriginVault, isPurged: boolean): Promise<void> {
  for (const each of coordinatorDirectories(pathOfOrigin(root, origin), vault)) {
    if (each.keys !== undefined && !isLeft(each.path, vault)) await moveJournal(TURNS, new OwnedMachine(), { root, origin, path: each.path, keys: each.keys, isPurged });
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
    return storageKeys !== undefined && isDirectory(storage) && !isLeft(directory, vault) ? { path: storage, encryption: storageKeys, ensure: () => undefined } : [];
  });
}
