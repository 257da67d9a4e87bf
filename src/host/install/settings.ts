import type { StorageHost } from '../storage-host.ts';

/** What can be installed, by the name under which programs reach it. Interface objects come along. */
export const globalNames = ['localStorage', 'sessionStorage', 'navigator.storage', 'navigator.locks'] as const;
export type GlobalName = (typeof globalNames)[number];

export const defaultOrigin = 'http://localhost';
export const defaultRoot = './.holdfast';

/** What an install does: options that were checked and completed. */
export interface InstallSettings {
  readonly host: StorageHost;
  /** True when `host` was made for this install, and ends with it. */
  readonly ownsHost: boolean;
  /** Serialized. */
  readonly origin: string;
  readonly globals: ReadonlySet<GlobalName>;
  readonly outside: 'default' | 'throw';
  readonly exposure: 'all' | 'window' | 'worker';
  readonly native: 'replace' | 'keep';
  readonly target: object;
  /** Whether interfaces that cost a start much may appear at their first touch; not where the install is to be undone. */
  readonly defersCostly: boolean;
}
