import { fdatasync } from '../../runtime/descriptor-calls.ts';
import { isShortage } from '../../runtime/descriptors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { Replay } from './replay.ts';
import { syncDirectory } from './sync-directory.ts';

/**
 * What makes a journal's records survive a power failure. Invariants:
 * - a record counts as durable only when its generation has its name on the disk too;
 * - after a sync that failed the disk may have dropped what it did not write: no later one is trusted.
 */
export class JournalSync {
  readonly #replay: Replay<unknown>;
  #failure: HoldfastError | null = null;
  /** The generation whose name this realm knows to be durable. */
  #named = -1;

  constructor(replay: Replay<unknown>) {
    this.#replay = replay;
  }

  /** @throws HoldfastError `disk-failed` once a sync has failed */
  requireTrust(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  /** The journal is another one: nothing is known of its name. */
  forget(): void {
    this.#named = -1;
  }

  /** Makes the record durable that was written last. @throws HoldfastError `disk-failed` */
  record(): void {
    try {
      fdatasync(this.#replay.file.descriptor, this.#replay.path);
    } catch (error) {
      throw this.#fail(error);
    }
    this.name();
  }

  /** Makes the name of the current generation durable. Done before a record is written too: then nothing is in doubt. */
  name(): void {
    const { number, directory } = this.#replay;
    if (this.#named === number) return;
    try {
      syncDirectory(directory);
      this.#named = number;
    } catch (error) {
      throw isShortage(error) ? this.#unsynced(error) : this.#fail(error);
    }
  }

  #fail(cause: unknown): HoldfastError {
    return (this.#failure = this.#unsynced(cause));
  }

  #unsynced(cause: unknown): HoldfastError {
    const message = `The journal ${this.#replay.path} could not be synced: whether its last records survive a power loss is unknown.`;
    return new HoldfastError('disk-failed', message, { cause });
  }
}
