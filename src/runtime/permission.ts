/**
 * Whether a runtime refused a system call by itself, before the system was asked: Deno without the permission. It is to
 * be taken for the EACCES that a system would give, whose code it lacks.
 */
export function isRefusedByRuntime(error: unknown): boolean {
  return error instanceof Error && error.name === 'NotCapable';
}
