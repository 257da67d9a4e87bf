import { LockedError } from '../../disk/locks/lock-table.ts';
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

/** Others may replace a file while it is made ready; that often in a row it is no coincidence. */
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
    if (attempt === ATTEMPTS) throw entryError('NoModificationAllowedError', context, entry.locator, 'is being replaced again and again');
    await prepare(entry, context);
  }
}

function handleOf(access: SyncAccess, mode: FileSystemSyncAccessHandleMode): FileSystemSyncAccessHandle {
  const handle = new FileSystemSyncAccessHandle(internal, access, mode);
  dropped.register(handle, access);
  return handle;
}

/** Null when the file has to be made ready, which needs the lock to be free. */
async function tryToOpen(entry: Entry, mode: FileSystemSyncAccessHandleMode, context: string): Promise<SyncAccess | null> {
  const lock = await lockOrFail(entry, mode === 'readwrite' ? 'exclusive' : mode, context);
  try {
    const file = await withContent(entry, context, () => openFile(entry, mode));
    return new SyncAccess(entry.system, entry.locator, file, lock);
  } catch (error) {
    lock.release();
    if (error instanceof TreeError && error.code === 'not-in-place') return null;
    throw handleError(error, entry, context);
  }
}

function openFile({ system, locator }: Entry, mode: FileSystemSyncAccessHandleMode): AccessedFile {
  if (mode === 'read-only') return { ...system.tree.openForReading(locator), extent: null };
  return system.tree.openForWriting(locator, mode === 'readwrite-unsafe');
}

/** Whoever has the file open has made it ready. */
async function prepare(entry: Entry, context: string): Promise<void> {
  const { system, locator } = entry;
  try {
    await system.operate(
      [locator],
      () => ({ operation: 'modify', kind: 'file', source: locator }),
      async () => {
        await system.tree.prepareInPlace(locator);
        return { changed: false, value: undefined };
      },
    );
  } catch (error) {
    if (!(error instanceof LockedError)) throw handleError(error, entry, context);
  }
}
