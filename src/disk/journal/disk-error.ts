import { errorCode } from '../../runtime/errors.ts';
import { HoldfastError, type HoldfastErrorCode } from '../../runtime/holdfast-error.ts';
import { isRefusedByRuntime } from '../../runtime/permission.ts';

/** The code of a system error, such as `ENOENT`; an empty string for anything else. */
export function systemCode(error: unknown): string {
  if (error instanceof HoldfastError) return '';
  return isRefusedByRuntime(error) ? 'EACCES' : errorCode(error);
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
  if (denied.has(code)) return new HoldfastError(deniedCode(doing), `Could not ${doing} ${path}: not permitted (${code}).`, { cause: error });
  return new HoldfastError('disk-failed', `Could not ${doing} ${path} (${code}).`, { cause: error });
}

function deniedCode(doing: string): HoldfastErrorCode {
  return doing.startsWith('read') ? 'root-unusable' : 'root-read-only';
}
