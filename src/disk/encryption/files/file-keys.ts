import type { KeyObject } from 'node:crypto';

/** What the files of an origin are encrypted with. */
export interface FileKeys {
  /** The id of the key that new files get. */
  readonly activeId: number;
  /** The id of the oldest one: it stays the same when another one becomes active. */
  readonly oldestId: number;
  /** Whether there may be files from before the origin was encrypted, which are read as they are. By default not. */
  readonly allowsPlain?: boolean;
  /**
   * The key of a file, of 32 bytes, out of the origin's with this id.
   *
   * @throws HoldfastError key-missing
   */
  fileKey(id: number, salt: Uint8Array): KeyObject;
}
