// The methods of FileSystemDirectoryHandle: what they are given is converted in the caller's turn.
import { boolean, dictionary, USVString } from '../../webidl/conversions.ts';
import { requireArguments } from '../../webidl/interface.ts';
import type { FileSystemDirectoryHandle, FileSystemGetFileOptions } from '../directory-handle.ts';
import { relativePath, requireValidName } from '../entry.ts';
import type { Entry } from '../entry.ts';
import type { FileSystemFileHandle } from '../file-handle.ts';
import { convertHandle } from '../handle.ts';
import { convertRemoveOptions } from './handle.ts';

export { createDirectoryIterator } from '../directory-iterator.ts';

const interfaceName = 'FileSystemDirectoryHandle';

const convertGetOptions = dictionary<Required<FileSystemGetFileOptions>>({
  create: { convert: boolean, default: false },
});

interface Child<Options> {
  readonly name: string;
  readonly options: Options;
  readonly context: string;
}

/** The arguments that the methods for children have in common: a name and a dictionary. */
function convertChild<Options>(
  operation: string,
  args: readonly unknown[],
  convertOptions: (value: unknown, context: string) => Options,
): Child<Options> {
  const context = `Failed to execute '${operation}' on '${interfaceName}'`;
  requireArguments(args.length, 1, interfaceName, operation);
  const name = USVString(args[0], `${context}: parameter 1`);
  const options = convertOptions(args[1], `${context}: parameter 2`);
  requireValidName(name, context);
  return { name, options, context };
}

/** https://fs.spec.whatwg.org/#dom-filesystemdirectoryhandle-getfilehandle */
export function getFileHandle(entry: Entry, args: readonly unknown[]): Promise<FileSystemFileHandle> {
  const { name, options, context } = convertChild('getFileHandle', args, convertGetOptions);
  return entry.system.perform(({ getFileHandle }) => getFileHandle(entry, name, options.create, context));
}

/** https://fs.spec.whatwg.org/#dom-filesystemdirectoryhandle-getdirectoryhandle */
export function getDirectoryHandle(entry: Entry, args: readonly unknown[]): Promise<FileSystemDirectoryHandle> {
  const { name, options, context } = convertChild('getDirectoryHandle', args, convertGetOptions);
  return entry.system.perform(({ getDirectoryHandle }) => getDirectoryHandle(entry, name, options.create, context));
}

/** https://fs.spec.whatwg.org/#dom-filesystemdirectoryhandle-removeentry */
export function removeEntry(entry: Entry, args: readonly unknown[]): Promise<void> {
  const { name, options, context } = convertChild('removeEntry', args, convertRemoveOptions);
  return entry.system.perform(({ removeEntry }) => removeEntry(entry, name, options.recursive, context));
}

/** https://fs.spec.whatwg.org/#dom-filesystemdirectoryhandle-resolve */
export function resolve(entry: Entry, args: readonly unknown[]): string[] | null {
  requireArguments(args.length, 1, interfaceName, 'resolve');
  return relativePath(entry, convertHandle(args[0], `Failed to execute 'resolve' on '${interfaceName}': parameter 1`));
}
