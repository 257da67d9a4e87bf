import { errorCode } from '../../runtime/errors.ts';
import { isRefusedByRuntime } from '../../runtime/permission.ts';
import type { Locator } from '../locator.ts';

/** Why an operation on the tree could not be done. */
export type TreeErrorCode =
  | 'not-found' // the entry, or a directory on the way to it, is not there
  | 'type-mismatch' // a file where a directory was asked for, or the other way round
  | 'not-empty'
  | 'not-plain' // a link, device, socket or pipe: never followed, opened or replaced
  | 'exists'
  | 'into-itself' // a directory cannot move below itself
  | 'too-long' // more than the operating system takes for the whole path, or 16 MiB for one name
  | 'read-only' // the volume or the permissions forbid the change
  | 'unreadable' // the permissions forbid reading
  | 'no-space' // the volume or the user's disk quota is full
  | 'elsewhere' // a stub: the content of the file is not on this disk
  | 'not-in-place' // an encrypted file has to be made ready for being written to in place
  | 'damaged' // an encrypted file that is not what was written
  | 'too-many-open' // the process or the system is out of descriptors
  | 'io'; // anything else; when durability is strict, also: the outcome is unknown

const REASONS: Record<TreeErrorCode, string> = {
  'not-found': 'it does not exist',
  'type-mismatch': 'it is an entry of the other kind',
  'not-empty': 'the directory is not empty',
  'not-plain': 'it is neither a plain file nor a directory (links are not followed)',
  exists: 'another entry is in the way',
  'into-itself': 'a directory cannot move below itself',
  'too-long': 'its name or path is too long for this system',
  'read-only': 'the storage cannot be written',
  unreadable: 'the storage cannot be read',
  'no-space': 'the disk is full',
  elsewhere: 'its content is not on this disk',
  'not-in-place': 'it was written as a whole',
  damaged: 'what is on the disk is not what was written there',
  'too-many-open': 'too many files are open',
  io: 'the disk failed',
};

/** What the tree throws: a code for the standards' folders to map, the entry, and the operating system's error as cause. */
export class TreeError extends Error {
  readonly code: TreeErrorCode;
  readonly locator: Locator;

  constructor(code: TreeErrorCode, locator: Locator, options?: { cause?: unknown }) {
    super(`'/${locator.join('/')}': ${REASONS[code]}`, options);
    this.name = 'TreeError';
    this.code = code;
    this.locator = locator;
  }
}

const CODES: Readonly<Record<string, TreeErrorCode>> = {
  ENOENT: 'not-found',
  ENOTDIR: 'type-mismatch',
  EISDIR: 'type-mismatch',
  ENOTEMPTY: 'not-empty',
  EEXIST: 'exists',
  ELOOP: 'not-plain',
  EMLINK: 'not-plain', // how some BSDs refuse a link
  ENXIO: 'not-plain', // a socket, or a pipe that nobody reads
  ENAMETOOLONG: 'too-long',
  EROFS: 'read-only',
  ENOSPC: 'no-space',
  EDQUOT: 'no-space',
  EELSEWHERE: 'elsewhere', // ours, see openPlain
  EDAMAGED: 'damaged', // ours, see encryption/files
  EMFILE: 'too-many-open',
  ENFILE: 'too-many-open',
};

/** The operating system's code of an error; undefined for every other thing thrown. */
export function systemCode(error: unknown): string | undefined {
  if (isRefusedByRuntime(error)) return 'EACCES';
  return errorCode(error) || undefined;
}

/** An operating system's error as the tree's; everything else as it is. */
export function toTreeError(error: unknown, locator: Locator, access: 'read' | 'write'): unknown {
  const code = systemCode(error);
  if (code === undefined || error instanceof TreeError || !/^E[A-Z0-9]+$/.test(code)) return error;
  const denied = code === 'EACCES' || code === 'EPERM';
  const mapped = denied ? (access === 'read' ? 'unreadable' : 'read-only') : (CODES[code] ?? 'io');
  return new TreeError(mapped, locator, { cause: error });
}
