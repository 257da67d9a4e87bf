import type { Replica } from './replica.ts';

/** A journal that holds a replica, as whoever talks to the hub needs it. */
export interface ReplicaJournal {
  /** The replica as all processes have it by now. Makes nothing: what does not exist yet is not active, and empty. */
  current(): Replica;
  /**
   * Appends a record of `replica-records.ts` and applies it, and everything before it, before it returns. Creates what
   * is missing on the disk. In the kernel (strict: on the disk) when it returns.
   *
   * @throws HoldfastError as journals do
   */
  append(kind: number, payload: Uint8Array): void;
  /**
   * Calls `onNews` soon after anything was appended, by this realm or another process. A hint: too many calls, never
   * too few for good. It keeps no process alive. Returns what ends it.
   */
  watch(onNews: () => void): () => void;
}
