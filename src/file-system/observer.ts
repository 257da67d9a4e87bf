import { inThisContext } from '../runtime/callback-context.ts';
import { callbackFunction } from '../webidl/conversions.ts';
import { defineInterface, illegalInvocation, requireArguments, requireConstructorArguments } from '../webidl/interface.ts';
import type { FileSystemChangeRecord } from './change-record.ts';
import { convertHandle } from './handle.ts';
import { behaviour } from './loading.ts';
import type { Observations } from './methods/observations.ts';

export type FileSystemObserverCallback = (records: FileSystemChangeRecord[], observer: FileSystemObserver) => void;

/** A handle as any library declares it: lib.dom knows no other observer, so its handles are given to this one. */
export interface AnyRealmsHandle {
  readonly kind: 'file' | 'directory';
  readonly name: string;
}

export interface FileSystemObserverObserveOptions {
  /** Whether changes deeper than the directory's own children count. */
  recursive?: boolean;
}

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
  /** Made when something is observed, which takes a handle. */
  #observations: Observations | undefined;

  constructor(callback: FileSystemObserverCallback) {
    requireConstructorArguments(arguments.length, 1, interfaceName);
    const context = `Failed to construct '${interfaceName}': parameter 1`;
    this.#callback = inThisContext(callbackFunction<FileSystemObserverCallback>(callback, context));
  }

  /**
   * Starts to observe a file, or a directory and its children. A place that is observed already is observed with the
   * new options. Rejects with NotFoundError when nothing is there.
   */
  async observe(handle: AnyRealmsHandle, options?: FileSystemObserverObserveOptions): Promise<void> {
    if (!(#callback in this)) throw illegalInvocation(interfaceName);
    requireArguments(arguments.length, 1, interfaceName, 'observe');
    const context = `Failed to execute 'observe' on '${interfaceName}'`;
    const entry = convertHandle(handle, `${context}: parameter 1`);
    this.#observations ??= new (behaviour().Observations)((records) => void this.#callback(records, this));
    return this.#observations.observe(entry, options, context);
  }

  /** Stops observing the place; harmless when it is not observed. */
  unobserve(handle: AnyRealmsHandle): void {
    if (!(#callback in this)) throw illegalInvocation(interfaceName);
    requireArguments(arguments.length, 1, interfaceName, 'unobserve');
    const entry = convertHandle(handle, `Failed to execute 'unobserve' on '${interfaceName}': parameter 1`);
    this.#observations?.unobserve(entry);
  }

  /** Stops observing everything. Records that were not delivered yet are dropped. */
  disconnect(): void {
    if (!(#callback in this)) throw illegalInvocation(interfaceName);
    this.#observations?.disconnect();
  }
}

defineInterface(FileSystemObserver, {
  name: interfaceName,
  length: 1,
  operations: { observe: 1, unobserve: 1, disconnect: 0 },
});
