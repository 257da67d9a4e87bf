import type { FileSystemDirectoryHandle } from './directory-handle.ts';
import type { FileSystemFileHandle } from './file-handle.ts';

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
