import type { RootKeySource } from '../encryption/root-key-source.ts';
import type { PlaceKeys } from '../place.ts';

/** The file in an origin's directory that has its wrapped keys; an origin is encrypted if it is there. */
export const KEYS = 'keys';

/** The keys of one origin, as a host that encrypts has them. What it throws, it throws before anything is written. */
export interface OriginVault {
  /**
   * To be called before anything of the origin is opened.
   *
   * @param isThere - whether the origin has a bucket
   * @throws HoldfastError `key-pending`, `key-missing`, `key-wrong`, `keys-damaged`, `not-encrypted`
   */
  require(isThere: boolean): void;
  /** To be called before something is added to an origin that is there: what was plain gets keys. @throws as `require` */
  ensure(): void;
  /** Makes keys of an origin that is being built, and writes them into its draft, synced. @throws as `require` */
  build(draft: string): void;
  /** Resolves when no key has to be waited for any more. @throws as `require`; `key-pending` when that took too long */
  prepare(): Promise<void>;
  /**
   * Wraps the keys with what is the root key now, by one rename; under the lock of the root's maintenance. A kill leaves
   * them as they were or wrapped anew.
   *
   * @param withNewKey - whether there is one more data key then, with which everything new is encrypted
   * @returns false: they were, and no key was to be added
   * @throws (rejects) as `require`; `root-busy` where somebody else was faster
   */
  rewrap(withNewKey: boolean): Promise<boolean>;
  /**
   * Forgets data keys that nothing bears any more; under the lock of the root's maintenance, while nobody writes to files.
   *
   * @returns files for whose sake nothing was forgotten: they are yet to be finished, or are not encrypted
   * @throws as `rewrap`
   */
  retire(): readonly string[];
  /**
   * Takes note that nothing of the origin is plain any more, neither files nor names: then nothing plain is read any more
   * either. To be called while nobody changes files.
   *
   * @returns files that are still plain, if there are any: then nothing was noted
   * @throws as `rewrap`
   */
  endMigration(): readonly string[];
  /** Whether there may be something from before the origin was encrypted. */
  readonly isMigrating: boolean;
  /**
   * Deletes what opens the keys, where that is elsewhere than in the root; under the lock of the root's maintenance, before
   * anything of the origin is deleted.
   *
   * @throws as `prepare`; then nothing of the origin may be deleted
   */
  destroy(): Promise<void>;
  /** To be called when the origin may be another one than it was: its keys are read again. */
  forget(): void;
  /** `bucket`: the name of its directory. */
  place(bucket: string): PlaceKeys;
  /** For keys of the origin that are elsewhere than in its root: those that regions share. */
  readonly rootKeys: RootKeySource;
}

/** The keys of a root's origins. */
export interface Vaults {
  of(origin: string): OriginVault;
  /** Those of an origin in a directory of its own, which nobody else sees and which is to become that origin's. */
  at(directory: string, origin: string): OriginVault;
  /**
   * Wraps the keys in the directory of an origin that nobody else sees for another origin, which it is to become.
   *
   * @throws HoldfastError `key-pending`, `key-missing`, `key-wrong`, `keys-damaged`
   */
  rebind(directory: string, from: string, to: string): Promise<void>;
  /**
   * Opens the keys in the directory of an origin that nobody else sees, which are elsewhere than in a root, and has them
   * know what deleting the origin is to destroy of the one whose place it is to take, if there is one; that was opened.
   *
   * @throws HoldfastError as `rebind`; `encryption-unsupported`, `not-encrypted`
   */
  succeed(directory: string, origin: string): Promise<void>;
}
