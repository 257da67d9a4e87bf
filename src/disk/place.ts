import type { OriginKeys } from './encryption/origin-keys.ts';
import type { RootKeySource } from './encryption/root-key-source.ts';
import type { JournalEncryption } from './journal/journal-cipher.ts';
import type { Space } from './journal/space.ts';
import type { DatabaseSealing, Sealing, WrittenOnce } from './tree/sealing.ts';

/** The keys of an encrypted origin, as one of its buckets uses them. */
export interface PlaceKeys {
  /**
   * The keys as of now; made where the origin is there without.
   *
   * @throws HoldfastError `key-pending`, `key-missing`, `key-wrong`, `keys-damaged`, `not-encrypted`
   */
  readonly keys: OriginKeys;
  /** The keys of a journal of the bucket, by its name. */
  journal(name: string): JournalEncryption;
  /** Those of another bucket of the origin, by its directory in the origin's. */
  beside(bucket: string): PlaceKeys;
  /** How files of the bucket are encrypted, and their names. What it is asked throws as `keys` does. */
  readonly sealing: Sealing;
  /** How the files of a database of the bucket are encrypted, by its name. @throws as `keys` */
  database(name: string): DatabaseSealing;
  /** How what says the name of a database is encrypted. What it is asked throws as `keys` does. */
  readonly descriptions: WrittenOnce;
  /** Whether there may be something from before the origin was encrypted, which is read as it is. By default not. */
  readonly allowsPlain?: boolean;
  /** Whether what is not encrypted elsewhere, in a hub, is to be. By default not. */
  readonly migrates?: boolean;
  /**
   * Resolves when no key has to be waited for any more.
   *
   * @throws HoldfastError as `keys`; `key-pending` when that took too long
   */
  prepare(): Promise<void>;
  /** For keys of the origin that are elsewhere than in its root: those that regions share. */
  readonly rootKeys?: RootKeySource;
}

/** Where a bucket's directory is, whether or not it exists yet. */
export interface BucketPlace {
  /** Absolute path of the bucket's directory. */
  readonly path: string;
  /**
   * Creates what is missing of the root, the origin and the bucket. Idempotent and safe among processes.
   *
   * @throws HoldfastError when the root cannot be written, is a file, or was made by a newer format.
   */
  ensure(): void;
  /**
   * To be called before anything of it is opened; a look at the disk until it is there, then nothing.
   *
   * @throws HoldfastError root-unusable where a symbolic link would lead to another place
   */
  requirePlain?(): void;
  /** Undefined: what is written here is not encrypted. */
  readonly encryption?: PlaceKeys | undefined;
  /** The space of the disk that it is on, where that is watched. */
  readonly space?: Space;
  /** To be called when something of the bucket was found to have been removed or replaced: nothing known of it holds. */
  lost?(): void;
}
