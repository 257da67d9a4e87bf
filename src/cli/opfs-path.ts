import type { FileSystemDirectoryHandle } from '../file-system/directory-handle.ts';
import type { FileSystemFileHandle } from '../file-system/file-handle.ts';
import { HoldfastError } from '../runtime/holdfast-error.ts';
import { UsageError } from './command.ts';

/** What a path of an origin's file system begins with, on the command line. */
const PREFIX = 'opfs:';

export type Handle = FileSystemFileHandle | FileSystemDirectoryHandle;

export function isOpfsPath(text: string): boolean {
  return text.startsWith(PREFIX);
}

/** The names on the way to an entry. */
export interface OpfsPath {
  readonly names: readonly string[];
  /** Whether it ends with a slash, and so means a directory. */
  readonly isDirectory: boolean;
}

/** @throws UsageError for another beginning; HoldfastError bad-option for what leads out */
export function opfsPath(text: string): OpfsPath {
  if (!isOpfsPath(text)) throw new UsageError(`'${text}' is no path such as opfs:/directory/file`);
  const parts = text.slice(PREFIX.length).split('/');
  const names = parts.filter((part) => part !== '' && part !== '.');
  if (names.includes('..')) throw new HoldfastError('bad-option', `'${text}' leads out of the file system: '..' is no name.`);
  return { names, isDirectory: names.length === 0 || parts.at(-1) === '' };
}

export function shown(names: readonly string[]): string {
  return `${PREFIX}/${names.join('/')}`;
}

/** Null: there is none. */
export async function find(root: FileSystemDirectoryHandle, names: readonly string[]): Promise<Handle | null> {
  const name = names.at(-1);
  if (name === undefined) return root;
  const parent = await directoryAt(root, names.slice(0, -1));
  if (parent === null) return null;
  return (await unlessMissing(parent.getFileHandle(name))) ?? (await unlessMissing(parent.getDirectoryHandle(name)));
}

/** Null: there is none, or a file in its place. */
async function directoryAt(root: FileSystemDirectoryHandle, names: readonly string[]): Promise<FileSystemDirectoryHandle | null> {
  let at: FileSystemDirectoryHandle | null = root;
  for (const name of names) at = at === null ? null : await unlessMissing(at.getDirectoryHandle(name));
  return at;
}

async function unlessMissing<T>(handle: Promise<T>): Promise<T | null> {
  try {
    return await handle;
  } catch (error) {
    if (['NotFoundError', 'TypeMismatchError'].includes((error as Error).name)) return null;
    throw error;
  }
}

/** @throws HoldfastError bad-option where there is none */
export async function required(root: FileSystemDirectoryHandle, names: readonly string[]): Promise<Handle> {
  const found = await find(root, names);
  if (found === null) throw new HoldfastError('bad-option', `There is no ${shown(names)}.`);
  return found;
}

/** Makes what is missing. @throws HoldfastError bad-option where a file is in the way */
export async function made(root: FileSystemDirectoryHandle, names: readonly string[]): Promise<FileSystemDirectoryHandle> {
  let at = root;
  for (const [index, name] of names.entries()) {
    at = await at.getDirectoryHandle(name, { create: true }).catch((error: unknown) => {
      if ((error as Error).name !== 'TypeMismatchError') throw error;
      throw new HoldfastError('bad-option', `${shown(names.slice(0, index + 1))} is a file, not a directory.`, { cause: error });
    });
  }
  return at;
}
