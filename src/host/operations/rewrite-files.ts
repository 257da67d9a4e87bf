import { entryOf } from '../../file-system/handle.ts';
import { nextTurn } from '../../runtime/timers.ts';
import type { StorageClient } from '../storage-client.ts';

type Directory = Awaited<ReturnType<StorageClient['storage']['getDirectory']>>;
type Handle = Parameters<typeof entryOf>[0];

/** What could not be rewritten, for somebody has it open. */
export type InUse = readonly string[];

/**
 * Rewrites each file of an origin that is not encrypted with the key of now, one after another, under its lock; whoever is
 * killed leaves each as it was or rewritten. Others go on meanwhile, and observers hear of nothing.
 *
 * @throws what the interfaces throw
 */
export async function rewriteFiles(client: StorageClient): Promise<InUse> {
  const inUse: string[] = [];
  await rewriteIn(await client.storage.getDirectory(), '', inUse);
  for (const name of await client.storageBuckets.keys()) await rewriteIn(await (await client.storageBuckets.open(name)).getDirectory(), `${name}:`, inUse);
  return inUse;
}

async function rewriteIn(directory: Directory, at: string, inUse: string[]): Promise<void> {
  for await (const [name, handle] of directory) {
    const path = `${at}/${name}`;
    if (handle.kind === 'directory') await rewriteIn(handle as Directory, path, inUse);
    else if (!(await rewriteOne(handle))) inUse.push(path);
    await nextTurn();
  }
}

/** False: somebody has it open to write to it. */
async function rewriteOne(handle: Handle): Promise<boolean> {
  const entry = entryOf(handle);
  if (entry === undefined) throw new Error('a file belongs to no file system');
  const { system, locator } = entry;
  try {
    await system.operate([locator], () => ({ operation: 'modify', kind: 'file', source: locator }), async () => {
      await system.tree.renew(locator);
      return { changed: false, value: undefined };
    });
    return true;
  } catch (error) {
    // It was removed, or moved, meanwhile; under its new name it is met or was.
    if (isNamed(error, 'TreeError') && (error as { readonly code?: unknown }).code === 'not-found') return true;
    if (isNamed(error, 'LockedError')) return false;
    throw error;
  }
}

function isNamed(error: unknown, name: string): boolean {
  return (error as { readonly name?: unknown } | null)?.name === name;
}
