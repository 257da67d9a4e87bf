import { isObject } from '../runtime/brands.ts';
import { defineInterface, illegalConstructor, illegalInvocation, internal } from '../webidl/interface.ts';
import type { EntryKind } from '../disk/locator.ts';
import type { Entry } from './entry.ts';
import { behaviour } from './loading.ts';

/** https://fs.spec.whatwg.org/#dictdef-filesystemremoveoptions */
export interface FileSystemRemoveOptions {
  recursive?: boolean;
}

/** https://wicg.github.io/file-system-access/#enumdef-filesystempermissionmode */
export interface FileSystemHandlePermissionDescriptor {
  mode?: 'read' | 'readwrite';
}

let readEntry: (value: object) => Entry | undefined;

let madeOne = false;

/** Whether this realm has ever made a handle; while not, no message can hold one. */
export function anyHandles(): boolean {
  return madeOne;
}

/** The entry of a handle; undefined for anything that only looks like one. */
export function entryOf(value: unknown): Entry | undefined {
  return isObject(value) ? readEntry(value) : undefined;
}

/** The entry behind `this` of an operation of `interfaceName`. */
export function requireEntry(value: unknown, interfaceName: string, kind?: EntryKind): Entry {
  const entry = entryOf(value);
  if (entry === undefined || (kind !== undefined && entry.kind !== kind)) throw illegalInvocation(interfaceName);
  return entry;
}

/** Converts an argument of type FileSystemHandle, or of its subclass for `kind`. */
export function convertHandle(value: unknown, context: string, kind?: EntryKind): Entry {
  const entry = entryOf(value);
  if (entry === undefined || (kind !== undefined && entry.kind !== kind)) {
    throw new TypeError(`${context} is not a FileSystem${kind === undefined ? '' : kind === 'file' ? 'File' : 'Directory'}Handle.`);
  }
  return entry;
}

const interfaceName = 'FileSystemHandle';

/**
 * A reference to a place in the file system, whether or not anything is there now.
 * https://fs.spec.whatwg.org/#api-filesystemhandle
 */
export class FileSystemHandle<Kind extends EntryKind = EntryKind> {
  readonly #entry: Entry;

  static {
    readEntry = (value) => (#entry in value ? value.#entry : undefined);
  }

  /** @internal */
  constructor(token: typeof internal, entry: Entry) {
    if (token !== internal) illegalConstructor();
    this.#entry = entry;
    madeOne = true;
  }

  /** https://fs.spec.whatwg.org/#dom-filesystemhandle-kind */
  get kind(): Kind {
    return requireEntry(this, interfaceName).kind as Kind;
  }

  /** The last component of the path; empty for the root. https://fs.spec.whatwg.org/#dom-filesystemhandle-name */
  get name(): string {
    return requireEntry(this, interfaceName).locator.at(-1) ?? '';
  }

  /**
   * Whether both handles refer to the same place and kind. https://fs.spec.whatwg.org/#dom-filesystemhandle-issameentry
   */
  async isSameEntry(other: FileSystemHandle): Promise<boolean>;
  async isSameEntry(...args: unknown[]): Promise<boolean> {
    const entry = requireEntry(this, interfaceName);
    return behaviour().handle.isSameEntry(entry, args);
  }

  /**
   * Removes the entry. The root is emptied instead. https://github.com/whatwg/fs/blob/main/proposals/Remove.md
   *
   * Rejects with NotFoundError when nothing is there, InvalidModificationError for a directory that is not empty unless
   * `recursive`, NoModificationAllowedError while the entry or anything in it is open.
   */
  async remove(options?: FileSystemRemoveOptions): Promise<void>;
  async remove(...args: unknown[]): Promise<void> {
    const entry = requireEntry(this, interfaceName);
    return behaviour().handle.remove(entry, args);
  }

  /** Renames the entry in its directory. Replaces a file of that name. */
  async move(name: string): Promise<void>;
  /** Moves the entry into another directory of its bucket, under its own or another name. */
  async move(directory: FileSystemHandle, name?: string): Promise<void>;
  /**
   * Afterwards this handle refers to the entry's new place; other handles still refer to the old one.
   * https://github.com/whatwg/fs/blob/main/proposals/MovingNonOpfsFiles.md
   *
   * Rejects with NotFoundError when nothing is there, InvalidModificationError when a directory would be moved into
   * itself or onto something, NoModificationAllowedError while source or target, or anything in them, is open.
   */
  async move(...args: unknown[]): Promise<void> {
    const entry = requireEntry(this, interfaceName);
    return behaviour().handle.move(entry, args);
  }

  /**
   * An id of this place that is the same in every process and session, and says nothing about the place.
   * https://github.com/whatwg/fs/blob/main/proposals/UniqueId.md
   */
  async getUniqueId(): Promise<string> {
    const entry = requireEntry(this, interfaceName);
    return behaviour().handle.getUniqueId(entry);
  }

  /**
   * Always 'granted': an origin owns its private file system.
   * https://wicg.github.io/file-system-access/#api-filesystemhandle-querypermission
   */
  async queryPermission(descriptor?: FileSystemHandlePermissionDescriptor): Promise<'granted'>;
  async queryPermission(...args: unknown[]): Promise<'granted'> {
    const entry = requireEntry(this, interfaceName);
    return behaviour().handle.queryPermission(entry, args);
  }

  /**
   * Always 'granted', without asking anyone.
   * https://wicg.github.io/file-system-access/#api-filesystemhandle-requestpermission
   */
  async requestPermission(descriptor?: FileSystemHandlePermissionDescriptor): Promise<'granted'>;
  async requestPermission(...args: unknown[]): Promise<'granted'> {
    const entry = requireEntry(this, interfaceName);
    return behaviour().handle.requestPermission(entry, args);
  }
}

defineInterface(FileSystemHandle, {
  name: interfaceName,
  attributes: ['kind', 'name'],
  operations: {
    isSameEntry: 1,
    remove: 0,
    move: 1,
    getUniqueId: 0,
    queryPermission: 0,
    requestPermission: 0,
  },
});
