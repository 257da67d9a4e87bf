import type { KeyObject } from 'node:crypto';
import type { SealedKeyFile } from './key-file.ts';

/** Whoever knows what wraps the keys of an origin. `file`: what was wrapped; null: there is nothing yet. */
export interface RootKeySource {
  readonly origin: string;
  /** Resolves when `keysFor` has nothing to wait for. @throws HoldfastError as that, `key-pending` when that took too long */
  prepare(file: SealedKeyFile | null): Promise<void>;
  /**
   * `active`: what new keys are wrapped with; `kms`: what a KMS has wrapped that one to; `all`: those that may have been
   * used.
   *
   * @throws HoldfastError `key-pending`, `key-missing`
   */
  keysFor(file: SealedKeyFile | null): { readonly active: KeyObject; readonly kms: Uint8Array; readonly all: readonly KeyObject[] };
}
