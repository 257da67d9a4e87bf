import { TreeError } from '../../disk/tree/tree-error.ts';
import { createDirectoryHandle, createFileHandle } from '../handles.ts';
import type { FileSystemDirectoryHandle } from '../directory-handle.ts';
import type { Entry } from '../entry.ts';
import { entryError, webError } from '../errors.ts';
import type { FileSystemFileHandle } from '../file-handle.ts';
import type { EntryKind, Locator } from '../../disk/locator.ts';
import type { OperationResult } from '../../disk/locks/lock-table.ts';
import type { FileSystem } from '../file-system.ts';

/** Creates the entry, or finds that another process was first. */
function make({ tree }: FileSystem, kind: EntryKind, locator: Locator): OperationResult<EntryKind> {
  const changed = kind === 'file' ? tree.createFile(locator) : tree.createDirectory(locator);
  return { changed, value: kind };
}

/** A file that has taken the directory's place is no reason to speak of the child's kind. */
function creationError(error: unknown, { tree }: FileSystem, locator: Locator, context: string): unknown {
  const parent = locator.slice(0, -1);
  const isOrphan = error instanceof TreeError && error.code === 'type-mismatch' && tree.kindOf(parent) !== 'directory';
  return isOrphan ? entryError('NotFoundError', context, parent, 'does not exist') : error;
}

async function create(system: FileSystem, kind: EntryKind, locator: Locator, context: string): Promise<EntryKind> {
  try {
    return await system.operate(
      [locator],
      () => ({ operation: 'create', kind, source: locator }),
      () => make(system, kind, locator),
    );
  } catch (error) {
    throw creationError(error, system, locator, context);
  }
}

/** Finds the child, or creates it where it is missing and `mayCreate`, and gives its place. */
async function child(
  directory: Entry,
  kind: EntryKind,
  name: string,
  mayCreate: boolean,
  context: string,
): Promise<Locator> {
  const { system } = directory;
  system.requireOpen(context);
  const earlier = system.before([...directory.locator, name]);
  if (earlier !== undefined) await earlier;
  const locator = [...directory.locator, name];
  try {
    const found = system.tree.kindOf(locator) ?? (mayCreate ? await create(system, kind, locator, context) : null);
    if (found === kind) return locator;
    if (found === null) throw entryError('NotFoundError', context, locator, 'does not exist');
    throw entryError('TypeMismatchError', context, locator, `is a ${found}, not a ${kind}`);
  } catch (error) {
    throw webError(error, context);
  }
}

/** https://fs.spec.whatwg.org/#dom-filesystemdirectoryhandle-getfilehandle */
export async function getFileHandle(
  directory: Entry,
  name: string,
  mayCreate: boolean,
  context: string,
): Promise<FileSystemFileHandle> {
  return createFileHandle(directory.system, await child(directory, 'file', name, mayCreate, context));
}

/** https://fs.spec.whatwg.org/#dom-filesystemdirectoryhandle-getdirectoryhandle */
export async function getDirectoryHandle(
  directory: Entry,
  name: string,
  mayCreate: boolean,
  context: string,
): Promise<FileSystemDirectoryHandle> {
  return createDirectoryHandle(directory.system, await child(directory, 'directory', name, mayCreate, context));
}
