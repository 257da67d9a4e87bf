import { internal } from '../../webidl/interface.ts';
import type { Entry } from '../entry.ts';
import { handleError } from '../errors.ts';
import { SyncAccess } from '../sync-access.ts';
import { FileSystemSyncAccessHandle } from '../sync-access-handle.ts';
import type { FileSystemSyncAccessHandleMode } from '../sync-access-handle.ts';
import { dropped, lockOrFail } from './hold.ts';
import { withContent } from './with-content.ts';

/** https://fs.spec.whatwg.org/#dom-filesystemfilehandle-createsyncaccesshandle */
export async function createSyncAccessHandle(
  entry: Entry,
  mode: FileSystemSyncAccessHandleMode,
  context: string,
): Promise<FileSystemSyncAccessHandle> {
  const isReadOnly = mode === 'read-only';
  const lock = await lockOrFail(entry, mode === 'readwrite' ? 'exclusive' : mode, context);
  const { system, locator } = entry;
  try {
    const isShared = mode === 'readwrite-unsafe';
    const file = await withContent(entry, context, () =>
      isReadOnly ? { descriptor: system.tree.open(locator), extent: null } : system.tree.openForWriting(locator, isShared),
    );
    const access = new SyncAccess(system, locator, file, lock);
    const handle = new FileSystemSyncAccessHandle(internal, access, mode);
    dropped.register(handle, access);
    return handle;
  } catch (error) {
    lock.release();
    throw handleError(error, entry, context);
  }
}
