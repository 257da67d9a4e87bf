import { errorCode } from '../../runtime/errors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { isRefusedByRuntime } from '../../runtime/permission.ts';

/** The code of a system error, such as `ENOENT`; an empty string for anything else. */
export function systemCode(error: unknown): string {
  if (error instanceof HoldfastError) return '';
  return isRefusedByRuntime(error) ? 'EACCES' : errorCode(error);
}

/** The same of the system error that a `disk-failed` tells of, too. */
export function systemCodeBehind(error: unknown): string {
  return systemCode(error instanceof HoldfastError && error.code === 'disk-failed' ? error.cause : error);
}

/** Whether there was no room for what was tried. */
export function isFull(error: unknown): boolean {
  return error instanceof HoldfastError && error.code === 'disk-full';
}

const full = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const denied = new Set(['EACCES', 'EPERM', 'EROFS']);

/** A system error as a {@link HoldfastError} that says what was tried with which file; others pass unchanged. */
export function diskError(error: unknown, doing: string, path: string): unknown {
  const code = systemCode(error);
  if (code === '') return error;
  if (full.has(code)) return new HoldfastError('disk-full', `Could not ${doing} ${path}: the disk is full (${code}).`, { cause: error });
  if (denied.has(code)) return deniedError(error, doing, path, code);
  return new HoldfastError('disk-failed', `Could not ${doing} ${path} (${code}).`, { cause: error });
}

/** What to do where a root cannot be written. */
export const CHOOSE_ANOTHER = "Choose a root that can be written, by HOLDFAST_ROOT or the option 'root'.";

function deniedError(cause: unknown, doing: string, path: string, code: string): HoldfastError {
  const why = code === 'EROFS' ? 'its file system is read-only (EROFS)' : `not permitted (${code})`;
  if (doing.startsWith('read')) return new HoldfastError('root-unusable', `Could not ${doing} ${path}: ${why}.`, { cause });
  return new HoldfastError('root-read-only', `Could not ${doing} ${path}: ${why}. ${CHOOSE_ANOTHER}`, { cause });
}
