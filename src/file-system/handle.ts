import { markAsUncloneable } from '../runtime/uncloneable.ts';
import { dictionary, enumeration, boolean, isObject, USVString } from '../webidl/conversions.ts';
import { defineInterface, illegalConstructor, illegalInvocation, internal, requireArguments } from '../webidl/interface.ts';
import type { EntryKind } from '../disk/locator.ts';
import { isSameEntry, nameOf, requireValidName } from './entry.ts';
import type { Entry } from './entry.ts';

/** https://fs.spec.whatwg.org/#dictdef-filesystemremoveoptions */
export interface FileSystemRemoveOptions {
  recursive?: boolean;
}

/** https://wicg.github.io/file-system-access/#enumdef-filesystempermissionmode */
export interface FileSystemHandlePermissionDescriptor {
  mode?: 'read' | 'readwrite';
}

const convertPermissionDescriptor = dictionary<FileSystemHandlePermissionDescriptor>({
  mode: { convert: enumeration('FileSystemPermissionMode', ['read', 'readwrite']), default: 'read' },
});

/** Shared with `FileSystemDirectoryHandle.removeEntry`. */
export const convertRemoveOptions = dictionary<Required<FileSystemRemoveOptions>>({
  recursive: { convert: boolean, default: false },
});

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
    const wanted = { file: 'FileSystemFileHandle', directory: 'FileSystemDirectoryHandle' };
    throw new TypeError(`${context} is not a ${kind === undefined ? 'FileSystemHandle' : wanted[kind]}.`);
  }
  return entry;
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
    markAsUncloneable(this);
  }

  /** https://fs.spec.whatwg.org/#dom-filesystemhandle-kind */
  get kind(): Kind {
    return requireEntry(this, 'FileSystemHandle').kind as Kind;
  }

  /** The last component of the path; empty for the root. https://fs.spec.whatwg.org/#dom-filesystemhandle-name */
  get name(): string {
    return nameOf(requireEntry(this, 'FileSystemHandle'));
  }

  /**
   * Whether both handles refer to the same place and kind. https://fs.spec.whatwg.org/#dom-filesystemhandle-issameentry
   */
  async isSameEntry(other: FileSystemHandle): Promise<boolean> {
    const entry = requireEntry(this, 'FileSystemHandle');
    requireArguments(arguments.length, 1, 'FileSystemHandle', 'isSameEntry');
    return isSameEntry(entry, convertHandle(other, "Failed to execute 'isSameEntry' on 'FileSystemHandle': parameter 1"));
  }

  /**
   * Removes the entry. The root is emptied instead. https://github.com/whatwg/fs/blob/main/proposals/Remove.md
   *
   * Rejects with NotFoundError when nothing is there, InvalidModificationError for a directory that is not empty unless
   * `recursive`, NoModificationAllowedError while the entry or anything in it is open.
   */
  async remove(options: FileSystemRemoveOptions = {}): Promise<void> {
    const context = "Failed to execute 'remove' on 'FileSystemHandle'";
    const entry = requireEntry(this, 'FileSystemHandle');
    const { recursive } = convertRemoveOptions(options, `${context}: parameter 1`);
    await entry.system.perform(({ remove }) => remove(entry, recursive, context));
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
  async move(...args: [unknown, unknown?]): Promise<void> {
    const context = "Failed to execute 'move' on 'FileSystemHandle'";
    const source = requireEntry(this, 'FileSystemHandle');
    requireArguments(args.length, 1, 'FileSystemHandle', 'move');
    const { directory, name } = convertMoveTarget(args, context);
    if (name !== undefined) requireValidName(name, context);
    await source.system.perform(({ move }) => move(source, directory, name, context));
  }

  /**
   * An id of this place that is the same in every process and session, and says nothing about the place.
   * https://github.com/whatwg/fs/blob/main/proposals/UniqueId.md
   */
  async getUniqueId(): Promise<string> {
    const entry = requireEntry(this, 'FileSystemHandle');
    return entry.system.perform(({ uniqueId }) => uniqueId(entry, "Failed to execute 'getUniqueId' on 'FileSystemHandle'"));
  }

  /**
   * Always 'granted': an origin owns its private file system.
   * https://wicg.github.io/file-system-access/#api-filesystemhandle-querypermission
   */
  async queryPermission(descriptor: FileSystemHandlePermissionDescriptor = {}): Promise<'granted'> {
    requireEntry(this, 'FileSystemHandle');
    convertPermissionDescriptor(descriptor, "Failed to execute 'queryPermission' on 'FileSystemHandle': parameter 1");
    return 'granted';
  }

  /**
   * Always 'granted', without asking anyone.
   * https://wicg.github.io/file-system-access/#api-filesystemhandle-requestpermission
   */
  async requestPermission(descriptor: FileSystemHandlePermissionDescriptor = {}): Promise<'granted'> {
    requireEntry(this, 'FileSystemHandle');
    convertPermissionDescriptor(descriptor, "Failed to execute 'requestPermission' on 'FileSystemHandle': parameter 1");
    return 'granted';
  }
}

defineInterface(FileSystemHandle, {
  name: 'FileSystemHandle',
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
