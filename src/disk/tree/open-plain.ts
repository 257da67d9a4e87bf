import fs from 'node:fs';
import { setMode } from '../../runtime/more-descriptor-calls.ts';
import { withDescriptor } from '../../runtime/descriptors.ts';
import { isStub, mayBeStub } from './stub.ts';

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL } = fs.constants;

// Windows has neither flag, and no pipes in its directories.
const { O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants as Partial<typeof fs.constants>;

export const READ = O_RDONLY;
export const READ_WRITE = O_RDWR;
/** A file that was not there before. */
export const CREATE = O_RDWR | O_CREAT;

/** An atomic replacement may come between two looks at a path; that often in a row it is no coincidence. */
const LOOKS = 16;

/**
 * Opens a plain file and nothing else: what lstat sees before must be a file, and the same inode must be open
 * afterwards. O_NOFOLLOW alone is not enough: Deno without full permissions ignores it. O_NONBLOCK keeps a pipe that is
 * put in the file's place meanwhile from blocking the thread for ever.
 *
 * @throws the operating system's error; ELOOP for what is not plain; EELSEWHERE, which no system has, for a stub.
 */
export function openPlain(path: string, flags: number): number {
  const { descriptor, marked } = openWhatever(path, flags);
  if (!marked || !beginsAsStub(descriptor)) return descriptor;
  fs.closeSync(descriptor);
  throw systemError('EELSEWHERE', path);
}

/** The descriptor of a stub, for reading; null when the file is none. */
export function openStub(path: string): number | null {
  const { descriptor, marked } = openWhatever(path, READ);
  if (marked && beginsAsStub(descriptor)) return descriptor;
  fs.closeSync(descriptor);
  return null;
}

/** Closes the descriptor where it cannot be said. */
function beginsAsStub(descriptor: number): boolean {
  try {
    return isStub(descriptor);
  } catch (error) {
    closeQuietly(descriptor);
    throw error;
  }
}

/** `marked`: it may be a stub. */
function openWhatever(path: string, flags: number): { readonly descriptor: number; readonly marked: boolean } {
  for (let look = 0; look < LOOKS; look += 1) {
    const expected = fs.lstatSync(path, { throwIfNoEntry: false });
    if (expected === undefined) return { descriptor: openNew(path, flags), marked: false };
    if (!expected.isFile()) break;
    const descriptor = withDescriptor(() => fs.openSync(path, flags | O_NOFOLLOW | O_NONBLOCK));
    if (isSame(descriptor, expected)) return { descriptor, marked: mayBeStub(expected) };
    closeQuietly(descriptor);
  }
  throw systemError('ELOOP', path);
}

/** Opens a path at which nothing is: creates a file there, or fails and leaves nothing. */
export function openNew(path: string, flags: number): number {
  if ((flags & O_CREAT) === 0) throw systemError('ENOENT', path);
  const descriptor = withDescriptor(() => fs.openSync(path, flags | O_EXCL | O_NOFOLLOW, 0o600));
  try {
    setMode(descriptor, path, 0o600); // whatever the umask
  } catch (error) {
    closeQuietly(descriptor);
    fs.unlinkSync(path);
    throw error;
  }
  return descriptor;
}

/** For a descriptor through which nothing was written that close() could report as lost. */
export function closeQuietly(descriptor: number): void {
  try {
    fs.closeSync(descriptor);
  } catch {
    // It is closed whatever close() says.
  }
}

/** Closes the descriptor where it cannot be said. */
function isSame(descriptor: number, expected: fs.Stats): boolean {
  try {
    const opened = fs.fstatSync(descriptor);
    return opened.ino === expected.ino && opened.dev === expected.dev;
  } catch (error) {
    closeQuietly(descriptor);
    throw error;
  }
}

/** An error as the operating system's own. */
export function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: open '${path}'`), { code, path });
}
