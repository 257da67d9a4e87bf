import { coordinatorBase } from '../../coordinator/state.ts';
import type { CoordinatorState } from '../../coordinator/state.ts';
import type { LockManager } from '../../web-locks/lock-manager.ts';
import type { FileSystemDirectoryHandle } from '../../file-system/directory-handle.ts';
import type { StorageManager } from '../../storage/storage-manager.ts';
import type { Storage } from '../../web-storage/storage.ts';
import { define } from '../../runtime/define.ts';
import type { StorageClient } from '../storage-client.ts';

/**
 * What a coordinator's class extends: a named object of which one instance lives at a time, in all processes and threads
 * of a root, with a storage of its own. Its public methods are what others can call, through stubs of
 * {@link Coordinators}. docs/COORDINATORS.md
 */
export class Coordinator {
  /**
   * `gated` (the default): while an operation of the storage is awaited, or `blockConcurrencyWhile`, no other call begins.
   * `serial`: none begins before the one before has ended.
   */
  static readonly concurrency?: 'gated' | 'serial';

  readonly state: CoordinatorState<StorageClient>;

  constructor(state: CoordinatorState<StorageClient>) {
    this.state = state;
  }

  /** Its map of strings. What a call writes without an `await` in between is stored as one, before its result leaves. */
  get localStorage(): Storage {
    return this.state.storage.localStorage;
  }

  get storage(): StorageManager<FileSystemDirectoryHandle> {
    return this.state.storage.storage;
  }

  get locks(): LockManager {
    return this.state.storage.locks;
  }

  /** Answers a request that came by `stub.fetch()`. */
  fetch?(request: Request): Response | Promise<Response>;

  /** Called at the time that `state.setAlarm()` has set, at least once. `attempt`: how often it has failed since. */
  alarm?(info: { readonly attempt: number }): unknown;
}

define(Coordinator.prototype, coordinatorBase, { value: true });
