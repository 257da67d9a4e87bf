import type { JournalOptions } from './journal.ts';
import type * as Code from './lockfile-section.ts';

/** How a root is shared by what cannot rely on atomic appends, such as several machines on a network disk. */
export type Shared = 'lockfile';

let code: typeof Code | undefined;

/**
 * For the doors that have the option `shared`. It takes effect in its caller's turn, so it cannot be loaded then, and
 * programs that cannot ask for it need not load it.
 */
export function provideLockfile(module: typeof Code): void {
  code = module;
}

function provided(): typeof Code {
  if (code === undefined) throw new Error("'shared: lockfile' was asked for where it was not provided");
  return code;
}

/**
 * Says early that the package is missing; does not load it.
 *
 * @throws HoldfastError bad-option
 */
export function requireLockfilePackage(): void {
  provided().requireLockfilePackage();
}

/** The option of a journal that is shared so: runs its argument while no other realm does so for the same journal. */
export function lockfileSection(directory: string, shared: Shared | undefined): Pick<JournalOptions, 'exclusively'> {
  if (shared === undefined) return {};
  const sections = new (provided().LockfileSections)(directory);
  return { exclusively: (section) => sections.run(section) };
}
