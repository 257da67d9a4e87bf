import path from 'node:path';
import type { Locator } from '../../disk/locator.ts';
import { pathOfOrigin } from '../../disk/maintenance/replace-origin.ts';
import { bucketsOf, keysOf } from '../../disk/root/origins.ts';
import { reportLocks } from '../../disk/survey/lock-report.ts';
import { traceBucket } from '../../disk/survey/trace.ts';
import type { FileSystemDirectoryHandle } from '../../file-system/directory-handle.ts';
import type { FileSystemFileHandle } from '../../file-system/file-handle.ts';
import type { Arguments } from '../arguments.ts';
import type { Call } from '../call.ts';
import { type Context, DEFAULT_BUCKET, originOf, withBucket } from '../context.ts';
import { badRequest, missing, Refused } from '../failure.ts';
import type { FileRow, Page } from '../messages.ts';

export type Handle = FileSystemFileHandle | FileSystemDirectoryHandle;

/** @throws DOMException NotFoundError, TypeMismatchError; TypeError for what is no name */
export async function directoryAt(root: FileSystemDirectoryHandle, names: Locator): Promise<FileSystemDirectoryHandle> {
  let directory = root;
  for (const name of names) directory = await directory.getDirectoryHandle(name);
  return directory;
}

/** @throws as {@link directoryAt} */
async function entryAt(root: FileSystemDirectoryHandle, names: Locator): Promise<Handle> {
  const [parent, name] = await parentOf(root, names);
  return parent.getFileHandle(name).catch((error: unknown) => {
    if ((error as Error).name !== 'TypeMismatchError') throw error;
    return parent.getDirectoryHandle(name);
  });
}

export async function parentOf(root: FileSystemDirectoryHandle, names: Locator): Promise<[FileSystemDirectoryHandle, string]> {
  const name = names.at(-1);
  if (name === undefined) throw badRequest('The root of a bucket is no entry of anything.');
  return [await directoryAt(root, names.slice(0, -1)), name];
}

interface Listing {
  readonly trace: string;
  readonly entries: readonly Handle[];
}

/** Directories that are remembered in their order, so that a large one is listed once and not for every page. */
const MOST_LISTINGS = 8;

/** The entries of directories, in order: directories first. A list is as good as nothing was written since. */
export class Listings {
  readonly #known = new Map<string, Listing>();

  async of(context: Context, args: Arguments, directory: FileSystemDirectoryHandle, names: Locator): Promise<readonly Handle[]> {
    const key = JSON.stringify([args.text('origin'), args.textOr('bucket', DEFAULT_BUCKET), names]);
    const trace = traceOf(context, args);
    const known = this.#known.get(key);
    if (known !== undefined && known.trace === trace) return known.entries;
    const entries: Handle[] = [];
    for await (const handle of directory.values()) entries.push(handle as Handle);
    entries.sort((a, b) => (a.kind === b.kind ? (a.name < b.name ? -1 : 1) : a.kind === 'directory' ? -1 : 1));
    this.#known.delete(key);
    this.#known.set(key, { trace, entries });
    if (this.#known.size > MOST_LISTINGS) for (const [oldest] of this.#known) return this.#drop(oldest, entries);
    return entries;
  }

  #drop(oldest: string, entries: readonly Handle[]): readonly Handle[] {
    this.#known.delete(oldest);
    return entries;
  }
}

function traceOf(context: Context, args: Arguments): string {
  const name = args.textOr('bucket', DEFAULT_BUCKET);
  const origin = originOf(context, args);
  const bucket = bucketsOf(pathOfOrigin(context.root, origin), keysOf(context.root, origin)).find((each) => each.name === name);
  return bucket === undefined ? '' : traceBucket(bucket.path).files;
}

export function filesCall(listings: Listings): Call {
  return {
    run: (context, args): Promise<Page<FileRow>> =>
      withBucket(context, args, async ({ client, directory }) => {
        const names = args.path('path');
        const { offset, limit } = args.window();
        const search = args.textOr('search', '', 4096).toLowerCase();
        const at = await directoryAt(await directory(), names);
        const all = await listings.of(context, args, at, names);
        const found = search === '' ? all : all.filter(({ name }) => name.toLowerCase().includes(search));
        const locked = lockedIn(context, client.origin, args, names);
        // By handles of this request: those of the list may be of a client that has ended.
        const rows = await Promise.all(found.slice(offset, offset + limit).map((entry) => rowOf(at, entry, locked.get(entry.name) ?? null)));
        return { total: found.length, offset, rows };
      }),
  };
}

async function rowOf(parent: FileSystemDirectoryHandle, { name, kind }: Handle, locked: string | null): Promise<FileRow> {
  if (kind === 'directory') return { name, kind, size: null, modified: null, locked };
  try {
    const { size, lastModified } = await (await parent.getFileHandle(name)).getFile();
    return { name, kind, size, modified: lastModified, locked };
  } catch {
    return { name, kind, size: null, modified: null, locked };
  }
}

/** Who holds locks on what is in a directory, by name. */
function lockedIn(context: Context, origin: string, args: Arguments, names: Locator): Map<string, string> {
  const bucket = args.textOr('bucket', DEFAULT_BUCKET);
  const start = path.posix.join('/', ...names, '/');
  const found = new Map<string, string>();
  for (const lock of reportLocks(context.root, origin).locks) {
    if (lock.kind !== 'file' || lock.state !== 'held' || lock.bucket !== bucket || !lock.name.startsWith(start)) continue;
    const [name = ''] = lock.name.slice(start.length).split('/');
    found.set(name, `${lock.mode}, process ${lock.process}`);
  }
  return found;
}

export const makeDirectory: Call = {
  changes: true,
  run: (context, args) =>
    withBucket(context, args, async ({ directory }) => {
      const [parent, name] = await parentOf(await directory(), args.path('path'));
      await requireFree(parent, name);
      await parent.getDirectoryHandle(name, { create: true });
      return {};
    }),
};

/** @throws Refused where something has the name */
export async function requireFree(parent: FileSystemDirectoryHandle, name: string): Promise<void> {
  const isThere = await entryAt(parent, [name]).then(
    () => true,
    (error: unknown) => {
      if ((error as Error).name === 'NotFoundError') return false;
      throw error;
    },
  );
  if (isThere) throw new Refused(409, 'exists', `There is an entry '${name}' already.`);
}

export const renameEntry: Call = {
  changes: true,
  run: (context, args) =>
    withBucket(context, args, async ({ directory }) => {
      const root = await directory();
      const entry = await entryAt(root, args.path('path'));
      const [parent, name] = await parentOf(root, args.path('to'));
      await requireFree(parent, name);
      await entry.move(parent, name);
      return {};
    }),
};

export const removeEntry: Call = {
  changes: true,
  run: (context, args) =>
    withBucket(context, args, async ({ directory }) => {
      const [parent, name] = await parentOf(await directory(), args.path('path'));
      await parent.removeEntry(name, { recursive: args.flag('recursive') });
      return {};
    }),
};

/** @throws Refused for what is no file */
export async function fileAt(root: FileSystemDirectoryHandle, names: Locator): Promise<FileSystemFileHandle> {
  const entry = await entryAt(root, names);
  if (entry.kind === 'file') return entry as FileSystemFileHandle;
  throw missing('A directory is in its place.');
}
