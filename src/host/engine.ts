import { LockTable } from '../disk/locks/table.ts';
import type { BucketPlace } from '../disk/place.ts';
import type { Root } from '../disk/root/root.ts';
import { FileTree } from '../disk/tree/file-tree.ts';
import { outsideContexts } from '../runtime/callback-context.ts';

export * as algorithms from '../file-system/algorithms/index.ts';

/** What a bucket's locks and files run on. Much code, so this module is loaded when the first of them is used. */
export interface Engine {
  readonly locks: LockTable;
  readonly tree: FileTree;
}

/** Where an engine runs. */
export interface EnginePlace {
  readonly root: Root;
  readonly bucket: BucketPlace;
}

/** `epoch` is asked of the engine that runs then: a tree may be in use for longer than the locks it came with. */
export function createEngine({ root, bucket }: EnginePlace, epoch: () => number): Engine {
  const { durability, shared } = root;
  const foldsNames = (): boolean => root.open()?.foldsNames ?? false;
  const locks = new LockTable(bucket, { durability, shared, foldsNames, detach: outsideContexts });
  const tree = new FileTree(bucket, { durability, foldsNames, epoch, session: locks.folder });
  return { locks, tree };
}
