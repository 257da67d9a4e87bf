import type { FileSystemDirectoryHandle } from '../../file-system/directory-handle.ts';
import type { FileSystemFileHandle } from '../../file-system/file-handle.ts';
import type { StorageClient } from '../../host/storage-client.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { onInterruption } from '../interruption.ts';
import { holdersOf } from '../../disk/survey/lock-report.ts';
import { find, type Handle, type OpfsPath, shown } from '../opfs-path.ts';
import { type BucketValues, type Missing, namedBucketIn, openRootWithKey, readableOrigin, withClient } from '../root.ts';

/** The files of a bucket of an origin, as commands use them. */
export class BucketFiles {
  readonly directory: FileSystemDirectoryHandle;
  /** Aborted when the user wants the command to end. */
  readonly signal = onInterruption();
  readonly #values: BucketValues;

  constructor(directory: FileSystemDirectoryHandle, values: BucketValues) {
    this.directory = directory;
    this.#values = values;
  }

  /** Where something of that name goes: into a directory that is there, or to be the target itself. */
  async placeFor({ names, isDirectory }: OpfsPath, name: string): Promise<{ readonly parent: readonly string[]; readonly name: string }> {
    const found = isDirectory ? null : await find(this.directory, names);
    if (isDirectory || (found !== null && isDirectoryHandle(found))) return { parent: names, name };
    return { parent: names.slice(0, -1), name: names.at(-1) ?? name };
  }

  /** Says of a file that is locked who has locked it. */
  async respectingLocks<T>(names: readonly string[], body: () => Promise<T>): Promise<T> {
    try {
      return await body();
    } catch (error) {
      if ((error as Error).name !== 'NoModificationAllowedError') throw error;
      throw new HoldfastError('bad-option', `${shown(names)} is locked${await this.#holders(names)}.`, { cause: error });
    }
  }

  async #holders(names: readonly string[]): Promise<string> {
    const root = await openRootWithKey(this.#values);
    const holders = holdersOf(root, await readableOrigin(this.#values, root), this.#values.bucket ?? null, names);
    const each = holders.map(({ process, thread, name }) => `by process ${process}${thread === 0 || thread === process ? '' : `, thread ${thread}`}${name === `/${names.join('/')}` ? '' : ` (${name})`}`);
    return each.length === 0 ? '' : ` ${[...new Set(each)].slice(0, 4).join(', ')}`;
  }
}

export function isDirectoryHandle(handle: Handle): handle is FileSystemDirectoryHandle {
  return handle.kind === 'directory';
}

export function isFileHandle(handle: Handle): handle is FileSystemFileHandle {
  return handle.kind === 'file';
}

/** Calls `body` with the files of the bucket that is meant. */
export async function withFiles<T>(values: BucketValues, body: (files: BucketFiles) => Promise<T>, missing: Missing = 'refused'): Promise<T> {
  return withClient(values, async (client) => body(await openBucketFiles(client, values)), missing);
}

export async function openBucketFiles(client: StorageClient, values: BucketValues): Promise<BucketFiles> {
  const bucket = await namedBucketIn(values, client);
  return new BucketFiles(await (bucket ?? client.storage).getDirectory(), values);
}
