import type { StorageClient } from '../storage-client.ts';

/** What can be installed, by the name under which programs reach it. Interface objects come along. */
export const globalNames = ['localStorage', 'sessionStorage', 'navigator.storage', 'navigator.locks', 'navigator.storageBuckets', 'indexedDB', 'caches', 'BroadcastChannel'] as const;
export type GlobalName = (typeof globalNames)[number];

/** Which realm's interfaces exist: a window's, a worker's, or both. */
export const exposures = ['all', 'standard', 'window', 'worker'] as const;
export type Exposure = (typeof exposures)[number];

export const defaultOrigin = 'http://localhost';
export const defaultRoot = './.holdfast';

/** What an install does: options that were checked and completed. */
export interface InstallSettings {
  /** Gives the client whose storage the globals are outside any `run`; asked once, at first use. Null: nobody's. */
  readonly outside: (() => StorageClient) | null;
  readonly globals: ReadonlySet<GlobalName>;
  readonly exposure: 'all' | 'window' | 'worker';
  readonly native: 'replace' | 'keep';
  readonly target: object;
}
