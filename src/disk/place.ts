import type { Space } from './journal/space.ts';

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
  /** The space of the disk that it is on, where that is watched. */
  readonly space?: Space;
  /** To be called when something of the bucket was found to have been removed or replaced: nothing known of it holds. */
  lost?(): void;
}
