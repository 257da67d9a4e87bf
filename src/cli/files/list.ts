import { isFileHandle } from './bucket-files.ts';
import type { Handle } from '../opfs-path.ts';

/** One entry of a listing. */
export interface Entry {
  readonly names: readonly string[];
  readonly kind: 'file' | 'directory';
  /** Bytes; null for a directory, and for a file that cannot be read: its content may be in a hub alone. */
  readonly size: number | null;
  /** Milliseconds since 1970; null where there is no size. */
  readonly modified: number | null;
}

/** What is in a directory, in the order of names, or a file itself. What goes meanwhile is left out. */
export async function* listEntries(handle: Handle, names: readonly string[], isRecursive: boolean): AsyncGenerator<Entry, void> {
  if (isFileHandle(handle)) return yield* entryOf(handle, names);
  const children: [string, Handle][] = [];
  for await (const child of handle.entries()) children.push(child as [string, Handle]);
  for (const [name, child] of children.sort(([a], [b]) => (a < b ? -1 : 1))) {
    const at = [...names, name];
    yield* entryOf(child, at);
    if (isRecursive && !isFileHandle(child)) yield* listEntries(child, at, true);
  }
}

async function* entryOf(handle: Handle, names: readonly string[]): AsyncGenerator<Entry, void> {
  if (!isFileHandle(handle)) return yield { names, kind: 'directory', size: null, modified: null };
  try {
    const { size, lastModified } = await handle.getFile();
    yield { names, kind: 'file', size, modified: lastModified };
  } catch (error) {
    const { name } = error as Error;
    if (name === 'NotReadableError') return yield { names, kind: 'file', size: null, modified: null };
    if (name !== 'NotFoundError') throw error;
  }
}
