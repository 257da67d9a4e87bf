import type { FileLockTable } from '../../disk/locks/lock-table.ts';
import type { BucketPlace } from '../../disk/place.ts';
import type { FileTree } from '../../disk/tree/file-tree.ts';
import type { Blobs } from './blobs.ts';
import type { FilesJournal } from './files-journal.ts';
import type { Stubs } from './stubs.ts';

/** What the parts of a file sync work with. */
export interface Surroundings {
  readonly journal: FilesJournal;
  readonly place: Pick<BucketPlace, 'path'>;
  readonly tree: FileTree;
  readonly locks: FileLockTable;
  readonly blobs: Blobs;
  readonly stubs: Stubs;
  /** This region's name. */
  readonly region: string;
  /** Whether the content of files that other regions wrote is fetched at once, not when it is first read. */
  readonly eager: boolean;
  /** Hears of what cannot be done now, in a sentence; it is tried again. */
  report(problem: string): void;
}
