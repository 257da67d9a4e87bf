import { inThisContext } from '../runtime/callback-context.ts';
import { boolean, callbackFunction, dictionary } from '../webidl/conversions.ts';
import {
  defineInterface,
  illegalInvocation,
  requireArguments,
  requireConstructorArguments,
} from '../webidl/interface.ts';
import type { Observation } from './algorithms/observe.ts';
import { deliver } from './delivery.ts';
import type { FileSystemDirectoryHandle } from './directory-handle.ts';
import { isSameEntry } from './entry.ts';
import type { FileSystemFileHandle } from './file-handle.ts';
import { convertHandle } from './handle.ts';
import type { FileSystemHandle } from './handle.ts';

type AnyHandle = FileSystemFileHandle | FileSystemDirectoryHandle;

/** What happened; `unknown`: changes were missed, look again. */
export type FileSystemChangeType = 'appeared' | 'disappeared' | 'errored' | 'modified' | 'moved' | 'unknown';

/** https://github.com/whatwg/fs/blob/main/proposals/FileSystemObserver.md */
export interface FileSystemChangeRecord {
  /** A handle of the place that is observed. */
  readonly root: AnyHandle;
  /** A handle of what has changed; null when nothing is there now, or it is not known. */
  readonly changedHandle: AnyHandle | null;
  /** The names that lead from the root to the change; empty when it is the root itself. */
  readonly relativePathComponents: readonly string[];
  readonly type: FileSystemChangeType;
  /** Where a `moved` entry was before; null for other types. */
  readonly relativePathMovedFrom: readonly string[] | null;
}

export type FileSystemObserverCallback = (records: FileSystemChangeRecord[], observer: FileSystemObserver) => void;

export interface FileSystemObserverObserveOptions {
  /** Whether changes deeper than the directory's own children count. */
  recursive?: boolean;
}

const convertObserveOptions = dictionary<Required<FileSystemObserverObserveOptions>>({
  recursive: { convert: boolean, default: false },
});

const interfaceName = 'FileSystemObserver';

/**
 * Tells of changes at the places that it observes, by whichever process or thread they were made.
 * https://github.com/whatwg/fs/blob/main/proposals/FileSystemObserver.md
 *
 * - The callback gets its records in the order of the changes, in a task of its own, several at once where they come
 *   quickly; also across observers, an earlier change is told before a later one.
 * - It runs in the asynchronous context in which the observer was made.
 * - Observing does not keep the process alive.
 */
export class FileSystemObserver {
  readonly #callback: FileSystemObserverCallback;
  readonly #observations = new Set<Observation>();
  /** Counts disconnects, so that an observe() still under way at one takes no effect. */
  #connection = 0;

  constructor(callback: FileSystemObserverCallback) {
    requireConstructorArguments(arguments.length, 1, interfaceName);
    const context = `Failed to construct '${interfaceName}': parameter 1`;
    this.#callback = inThisContext(callbackFunction<FileSystemObserverCallback>(callback, context));
  }

  /**
   * Starts to observe a file, or a directory and its children. A place that is observed already is observed with the
   * new options. Rejects with NotFoundError when nothing is there.
   */
  async observe(handle: FileSystemHandle, options: FileSystemObserverObserveOptions = {}): Promise<void> {
    if (!(#callback in this)) throw illegalInvocation(interfaceName);
    requireArguments(arguments.length, 1, interfaceName, 'observe');
    const context = `Failed to execute 'observe' on '${interfaceName}'`;
    const entry = convertHandle(handle, `${context}: parameter 1`);
    const { recursive } = convertObserveOptions(options, `${context}: parameter 2`);
    const connection = this.#connection;
    const observation = await entry.system.perform(({ observe }) => observe(entry, recursive, this.#enqueue, context));
    if (connection === this.#connection) this.#replace(observation);
    else observation.stop();
  }

  /** Stops observing the place; harmless when it is not observed. */
  unobserve(handle: FileSystemHandle): void {
    if (!(#callback in this)) throw illegalInvocation(interfaceName);
    requireArguments(arguments.length, 1, interfaceName, 'unobserve');
    const entry = convertHandle(handle, `Failed to execute 'unobserve' on '${interfaceName}': parameter 1`);
    for (const observation of this.#observations) {
      if (isSameEntry(observation.root, entry)) this.#stop(observation);
    }
  }

  /** Stops observing everything. Records that were not delivered yet are dropped. */
  disconnect(): void {
    if (!(#callback in this)) throw illegalInvocation(interfaceName);
    this.#connection += 1;
    for (const observation of this.#observations) this.#stop(observation);
  }

  readonly #receive = (records: FileSystemChangeRecord[]): void => {
    this.#callback(records, this);
  };

  readonly #enqueue = (observation: Observation, record: FileSystemChangeRecord): void => {
    deliver({ record, receive: this.#receive, isCancelled: () => observation.isStopped });
  };

  /** Keeps an observation, in place of an older one of the same place. */
  #replace(observation: Observation): void {
    for (const older of this.#observations) {
      if (isSameEntry(older.root, observation.root)) this.#stop(older);
    }
    this.#observations.add(observation);
  }

  #stop(observation: Observation): void {
    observation.stop();
    this.#observations.delete(observation);
  }
}

defineInterface(FileSystemObserver, {
  name: interfaceName,
  length: 1,
  operations: { observe: 1, unobserve: 1, disconnect: 0 },
});
