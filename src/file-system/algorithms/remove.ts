import type { EntryKind, Locator } from '../../disk/locator.ts';
import type { OperationResult } from '../../disk/locks/lock-table.ts';
import type { Entry } from '../entry.ts';
import { entryError, webError } from '../errors.ts';
import type { FileSystem } from '../file-system.ts';

interface Removal {
  readonly system: FileSystem;
  readonly locator: Locator;
  readonly recursive: boolean;
  readonly context: string;
}

/** @throws DOMException NotFoundError when nothing is there */
function requireSomething(removal: Removal): EntryKind {
  const kind = removal.system.tree.kindOf(removal.locator);
  if (kind === null) throw entryError('NotFoundError', removal.context, removal.locator, 'does not exist');
  return kind;
}

/** Under the lock, which came first: a locked child is the reason to give, not a directory that is not empty. */
function removeNow(removal: Removal, lockedAs: EntryKind): OperationResult<void> {
  const { system, locator, recursive, context } = removal;
  if (requireSomething(removal) !== lockedAs) {
    throw entryError('NotFoundError', context, locator, 'was replaced by an entry of the other kind');
  }
  if (lockedAs === 'directory' && !recursive && !system.tree.isEmpty(locator)) {
    throw entryError('InvalidModificationError', context, locator, 'is not empty; pass { recursive: true }');
  }
  system.tree.remove(locator);
  return { changed: true, value: undefined };
}

async function removeLocked(removal: Removal): Promise<void> {
  const { system, locator, context } = removal;
  system.requireOpen(context);
  try {
    await system.displace(
      [locator],
      () => ({ operation: 'remove', kind: requireSomething(removal), source: locator }),
      (intent) => removeNow(removal, intent.kind),
    );
  } catch (error) {
    throw webError(error, context);
  }
}

/** The root of a bucket stays; what is in it goes, asked for recursively or not, as in browsers. */
async function empty(system: FileSystem, context: string): Promise<void> {
  system.requireOpen(context);
  try {
    await system.displace([[]], () => ({ operation: 'empty', kind: 'directory', source: [] }), async () => {
      await system.tree.empty();
      return { changed: true, value: undefined };
    });
  } catch (error) {
    throw webError(error, context);
  }
}

/** https://github.com/whatwg/fs/blob/main/proposals/Remove.md */
export function remove(entry: Entry, recursive: boolean, context: string): Promise<void> {
  const { system, locator } = entry;
  return locator.length === 0 ? empty(system, context) : removeLocked({ system, locator, recursive, context });
}

/** https://fs.spec.whatwg.org/#dom-filesystemdirectoryhandle-removeentry */
export function removeEntry(directory: Entry, name: string, recursive: boolean, context: string): Promise<void> {
  const { system } = directory;
  return removeLocked({ system, locator: [...directory.locator, name], recursive, context });
}
