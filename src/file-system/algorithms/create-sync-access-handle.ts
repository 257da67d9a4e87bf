import { LockedError, type FileLock } from '../../disk/locks/lock-table.ts';
import { TreeError } from '../../disk/tree/tree-error.ts';
import { internal } from '../../webidl/interface.ts';
import type { Entry } from '../entry.ts';
import { entryError, handleError } from '../errors.ts';
import { SyncAccess } from '../sync-access.ts';
import type { AccessedFile } from '../sync-access.ts';
import { FileSystemSyncAccessHandle } from '../sync-access-handle.ts';
import type { FileSystemSyncAccessHandleMode } from '../sync-access-handle.ts';
import { dropped, lockOrFail } from './hold.ts';
import { withContent } from './with-content.ts';

/** Others who have a file open may keep it from being made ready; that often in a row it is no coincidence. */
const ATTEMPTS = 16;

/** https://fs.spec.whatwg.org/#dom-filesystemfilehandle-createsyncaccesshandle */
export async function createSyncAccessHandle(
  entry: Entry,
  mode: FileSystemSyncAccessHandleMode,
  context: string,
): Promise<FileSystemSyncAccessHandle> {
  for (let attempt = 1; ; attempt += 1) {
    const access = await tryToOpen(entry, mode, context);
    if (access !== null) return handleOf(access, mode);
    if (attempt === ATTEMPTS) throw entryError('NoModificationAllowedError', context, entry.locator, 'could not be made ready, for others have it open');
    await prepare(entry, context);
  }
}

function handleOf(access: SyncAccess, mode: FileSystemSyncAccessHandleMode): FileSystemSyncAccessHandle {
  const handle = new FileSystemSyncAccessHandle(internal, access, mode);
  dropped.register(handle, access);
  return handle;
}

/** Null when the file has to be made ready, and others who have locked it too are in the way. */
async function tryToOpen(entry: Entry, mode: FileSystemSyncAccessHandleMode, context: string): Promise<SyncAccess | null> {
  const lock = await lockOrFail(entry, mode === 'readwrite' ? 'exclusive' : mode, context);
  try {
    const file = await openReady(entry, mode, context, lock);
    if (file !== null) return new SyncAccess(entry.system, entry.locator, file, lock);
  } catch (error) {
    lock.release();
    throw handleError(error, entry, context);
  }
  lock.release();
  return null;
}

/** Opens the file; it is made ready under the caller's lock, so that who asked first has it in the end. */
async function openReady(entry: Entry, mode: FileSystemSyncAccessHandleMode, context: string, lock: FileLock): Promise<AccessedFile | null> {
  const open = (): Promise<AccessedFile | null> => withContent(entry, context, () => openFile(entry, mode)).catch(nullIfNotReady);
  return (await open()) ?? ((await prepare(entry, context, lock)) ? open() : null);
}

function nullIfNotReady(error: unknown): null {
  if (error instanceof TreeError && error.code === 'not-in-place') return null;
  throw error;
}

function openFile({ system, locator }: Entry, mode: FileSystemSyncAccessHandleMode): AccessedFile {
  if (mode === 'read-only') return { ...system.tree.openForReading(locator), extent: null };
  return system.tree.openForWriting(locator, mode === 'readwrite-unsafe');
}

/** False where somebody else's lock is in the way: whoever has the file open has made it ready, or is about to. */
async function prepare(entry: Entry, context: string, own?: FileLock): Promise<boolean> {
  const { system, locator } = entry;
  try {
    await system.operate(
      [locator],
      () => ({ operation: 'modify', kind: 'file', source: locator }),
      async () => {
        await system.tree.prepareInPlace(locator);
        return { changed: false, value: undefined };
      },
      own,
    );
    return true;
  } catch (error) {
    if (error instanceof LockedError) return false;
    throw handleError(error, entry, context);
  }
}
