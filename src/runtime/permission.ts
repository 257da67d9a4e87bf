import { errorCode, isError } from './errors.ts';

/**
 * Whether a runtime refused a system call by itself, before the system was asked: Deno without the permission, Node under
 * `--permission`. It is to be taken for the EACCES that a system would give, whose code it lacks.
 */
export function isRefusedByRuntime(error: unknown): boolean {
  return (isError(error) && error.name === 'NotCapable') || errorCode(error) === 'ERR_ACCESS_DENIED';
}
