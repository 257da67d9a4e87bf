import { markAsUncloneable } from '../runtime/uncloneable.ts';
import { domException } from '../webidl/dom-exception.ts';
import { internal } from '../webidl/interface.ts';
import type { EntryKind, Locator } from '../disk/locator.ts';
import { FileSystemDirectoryHandle } from './directory-handle.ts';
import { requireValidName } from './entry.ts';
import { FileSystemFileHandle } from './file-handle.ts';
import type { FileSystem } from './file-system.ts';
import { entryOf } from './handle.ts';

function uncloneable<Handle extends object>(handle: Handle): Handle {
  markAsUncloneable(handle);
  return handle;
}

/** https://fs.spec.whatwg.org/#create-a-child-filesystemfilehandle */
export function createFileHandle(system: FileSystem, locator: Locator): FileSystemFileHandle {
  return uncloneable(new FileSystemFileHandle(internal, { system, kind: 'file', locator }));
}

/** https://fs.spec.whatwg.org/#create-a-child-filesystemdirectoryhandle */
export function createDirectoryHandle(system: FileSystem, locator: Locator): FileSystemDirectoryHandle {
  return uncloneable(new FileSystemDirectoryHandle(internal, { system, kind: 'directory', locator }));
}

/** A new handle of either kind. */
export function createHandle(
  system: FileSystem,
  kind: EntryKind,
  locator: Locator,
): FileSystemFileHandle | FileSystemDirectoryHandle {
  return kind === 'file' ? createFileHandle(system, locator) : createDirectoryHandle(system, locator);
}

/** The handle that `navigator.storage.getDirectory()` gives. */
export function createRootHandle(system: FileSystem): FileSystemDirectoryHandle {
  return createDirectoryHandle(system, []);
}

/** What is left of a handle when it is serialized: plain data, the same in every realm. */
export interface HandleData {
  readonly origin: string;
  readonly bucket: string;
  readonly kind: EntryKind;
  readonly locator: readonly string[];
}

/** Whether `value` is a handle, of either kind. */
export function isHandle(value: unknown): value is FileSystemFileHandle | FileSystemDirectoryHandle {
  return entryOf(value) !== undefined;
}

/**
 * https://fs.spec.whatwg.org/#filesystemhandle (serialization steps)
 *
 * @throws TypeError when `value` is no handle
 */
export function serializeHandle(value: unknown): HandleData {
  const entry = entryOf(value);
  if (entry === undefined) throw new TypeError('This is not a FileSystemHandle, so it cannot be serialized as one.');
  return { origin: entry.system.origin, bucket: entry.system.bucket, kind: entry.kind, locator: [...entry.locator] };
}

function isHandleData(data: unknown): data is HandleData {
  const { kind, locator } = (data ?? {}) as Partial<HandleData>;
  return (
    (kind === 'file' || kind === 'directory') &&
    Array.isArray(locator) &&
    locator.every((name) => typeof name === 'string') &&
    (kind === 'directory' || locator.length > 0)
  );
}

/**
 * https://fs.spec.whatwg.org/#filesystemhandle (deserialization steps). The data may come from anywhere, so each of
 * its names is checked again.
 *
 * @throws DOMException DataCloneError when the data is of another origin or bucket; TypeError when it is no handle's
 */
export function deserializeHandle(
  system: FileSystem,
  data: HandleData,
): FileSystemFileHandle | FileSystemDirectoryHandle {
  const context = 'Failed to deserialize a FileSystemHandle';
  if (!isHandleData(data)) throw new TypeError(`${context}: the data is not that of a handle.`);
  if (data.origin !== system.origin || data.bucket !== system.bucket) {
    throw domException('DataCloneError', `${context}: it belongs to ${data.origin}, not to ${system.origin}.`);
  }
  for (const name of data.locator) requireValidName(name, context);
  return createHandle(system, data.kind, [...data.locator]);
}
