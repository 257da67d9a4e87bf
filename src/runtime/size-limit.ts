import { isError } from './errors.ts';

/**
 * Whether an error says that a file cannot be so large: the operating system's EFBIG, which Deno gives no code, or the
 * runtime's own limit.
 */
export function isBeyondSizeLimit(error: unknown): boolean {
  if (!isError(error)) return false;
  const { code } = error as { code?: unknown };
  return code === 'EFBIG' || code === 'ERR_OUT_OF_RANGE' || (code === undefined && error.message.includes('(os error 27)'));
}
