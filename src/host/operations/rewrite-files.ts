import { storeOf } from '../../cache-storage/cache-storage.ts';
import { entryOf } from '../../file-system/handle.ts';
import type { Entry } from '../../file-system/entry.ts';
import { placeOf } from '../../indexed-db/factory.ts';
import { nextTurn } from '../../runtime/timers.ts';
import type { StorageClient } from '../storage-client.ts';

type Directory = Awaited<ReturnType<StorageClient['storage']['getDirectory']>>;
type Handle = Parameters<typeof entryOf>[0];

/** What could not be rewritten, for somebody has it open. */
export type InUse = readonly string[];

/** A bucket of a client. */
interface Files {
  getDirectory(): Promise<Directory>;
  readonly caches: StorageClient['caches'];
  readonly indexedDB: StorageClient['indexedDB'];
}

/**
 * Rewrites each file, each cached response and each database of an origin that is not encrypted with the key of now, and
 * gives those their own names that have them from before; one after another, files under their locks. Whoever is killed
 * leaves each as it was or rewritten. Others go on meanwhile, and observers hear of nothing.
 *
 * @throws what the interfaces throw
 */
export async function rewriteFiles(client: StorageClient): Promise<InUse> {
  const inUse: string[] = [];
  await rewriteBucket({ getDirectory: () => client.storage.getDirectory(), caches: client.caches, indexedDB: client.indexedDB }, '', inUse);
  for (const name of await client.storageBuckets.keys()) await rewriteBucket(await client.storageBuckets.open(name), `${name}:`, inUse);
  return inUse;
}

/** All files and cached responses of a bucket. `at`: how it is called to users. */
export async function rewriteBucket(bucket: Files, at: string, inUse: string[]): Promise<void> {
  await rewriteIn(await bucket.getDirectory(), at, inUse);
  await (await storeOf(bucket.caches)).renew();
  await rewriteDatabases(placeOf(bucket.indexedDB), at, inUse);
}

async function rewriteDatabases(place: ReturnType<typeof placeOf>, at: string, inUse: string[]): Promise<void> {
  await place.ready();
  const { databases, locks } = place;
  for (const { name } of await databases.list()) {
    const queue = await locks.queue(name);
    try {
      if (!(await databases.renew(name))) inUse.push(`${at}${name}`);
    } catch (error) {
      if (!isNamed(error, 'RecordsBusyError')) throw error;
      inUse.push(`${at}${name}`);
    } finally {
      queue.release();
    }
  }
  await databases.clear();
}

async function rewriteIn(directory: Directory, at: string, inUse: string[]): Promise<void> {
  for await (const [name, handle] of directory) {
    const path = `${at}/${name}`;
    if (handle.kind === 'directory') await rewriteIn(handle as Directory, path, inUse);
    if (!(await rewriteOne(handle))) inUse.push(path);
    await nextTurn();
  }
}

/** False: somebody has it open to write to it, or something in it. */
async function rewriteOne(handle: Handle): Promise<boolean> {
  const entry = entryOf(handle);
  if (entry === undefined) throw new Error('a file belongs to no file system');
  try {
    await (entry.kind === 'file' ? renew(entry) : respell(entry));
    return true;
  } catch (error) {
    // It was removed, or moved, meanwhile; under its new name it is met or was.
    if (isNamed(error, 'TreeError') && (error as { readonly code?: unknown }).code === 'not-found') return true;
    if (isNamed(error, 'LockedError')) return false;
    throw error;
  }
}

function renew({ system, locator }: Entry): Promise<void> {
  return system.operate([locator], () => ({ operation: 'modify', kind: 'file', source: locator }), async () => {
    await system.tree.renew(locator);
    system.tree.respell(locator);
    return { changed: false, value: undefined };
  });
}

/** A directory has no key, but a name, by which all that is in it is found. */
async function respell({ system, locator }: Entry): Promise<void> {
  if (!system.tree.isToRespell(locator)) return;
  await system.displace([locator], () => ({ operation: 'move', kind: 'directory', source: locator, target: locator }), () => {
    system.tree.respell(locator);
    return { changed: false, value: undefined };
  });
}

function isNamed(error: unknown, name: string): boolean {
  return (error as { readonly name?: unknown } | null)?.name === name;
}
