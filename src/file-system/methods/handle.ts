// The methods of FileSystemHandle: what they are given is converted in the caller's turn.
import { boolean, dictionary, enumeration, USVString } from '../../webidl/conversions.ts';
import { requireArguments } from '../../webidl/interface.ts';
import { isSameEntry as isSame, requireValidName } from '../entry.ts';
import type { Entry } from '../entry.ts';
import { convertHandle, entryOf } from '../handle.ts';
import type { FileSystemHandlePermissionDescriptor, FileSystemRemoveOptions } from '../handle.ts';

const interfaceName = 'FileSystemHandle';

function contextOf(operation: string): string {
  return `Failed to execute '${operation}' on '${interfaceName}'`;
}

const convertPermissionDescriptor = dictionary<FileSystemHandlePermissionDescriptor>({
  mode: { convert: enumeration('FileSystemPermissionMode', ['read', 'readwrite']), default: 'read' },
});

/** Shared with `FileSystemDirectoryHandle.removeEntry`. */
export const convertRemoveOptions = dictionary<Required<FileSystemRemoveOptions>>({
  recursive: { convert: boolean, default: false },
});

/** https://fs.spec.whatwg.org/#dom-filesystemhandle-issameentry */
export function isSameEntry(entry: Entry, args: readonly unknown[]): boolean {
  requireArguments(args.length, 1, interfaceName, 'isSameEntry');
  return isSame(entry, convertHandle(args[0], `${contextOf('isSameEntry')}: parameter 1`));
}

/** https://github.com/whatwg/fs/blob/main/proposals/Remove.md */
export function remove(entry: Entry, [options]: readonly unknown[]): Promise<void> {
  const context = contextOf('remove');
  const { recursive } = convertRemoveOptions(options, `${context}: parameter 1`);
  return entry.system.perform(({ remove }) => remove(entry, recursive, context));
}

interface MoveTarget {
  readonly directory?: Entry;
  readonly name?: string;
}

/** The overloads of move(): (name), (directory), (directory, name). */
function convertMoveTarget(args: readonly unknown[], context: string): MoveTarget {
  const [first, second] = args;
  if (args.length > 1) {
    const directory = convertHandle(first, `${context}: parameter 1`, 'directory');
    return { directory, name: USVString(second, `${context}: parameter 2`) };
  }
  const directory = entryOf(first);
  return directory?.kind === 'directory' ? { directory } : { name: USVString(first, `${context}: parameter 1`) };
}

/** https://github.com/whatwg/fs/blob/main/proposals/MovingNonOpfsFiles.md */
export function move(source: Entry, args: readonly unknown[]): Promise<void> {
  const context = contextOf('move');
  requireArguments(args.length, 1, interfaceName, 'move');
  const { directory, name } = convertMoveTarget(args, context);
  if (name !== undefined) requireValidName(name, context);
  return source.system.perform(({ move }) => move(source, directory, name, context));
}

/** https://github.com/whatwg/fs/blob/main/proposals/UniqueId.md */
export function getUniqueId(entry: Entry): Promise<string> {
  return entry.system.perform(({ uniqueId }) => uniqueId(entry, contextOf('getUniqueId')));
}

/** https://wicg.github.io/file-system-access/#api-filesystemhandle-querypermission */
export function queryPermission(_entry: Entry, [descriptor]: readonly unknown[]): 'granted' {
  convertPermissionDescriptor(descriptor, `${contextOf('queryPermission')}: parameter 1`);
  return 'granted';
}

/** https://wicg.github.io/file-system-access/#api-filesystemhandle-requestpermission */
export function requestPermission(_entry: Entry, [descriptor]: readonly unknown[]): 'granted' {
  convertPermissionDescriptor(descriptor, `${contextOf('requestPermission')}: parameter 1`);
  return 'granted';
}
