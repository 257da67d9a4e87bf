import { LockTable } from '../disk/locks/table.ts';
import type { BucketPlace } from '../disk/place.ts';
import type { Root } from '../disk/root/root.ts';
import { FileTree } from '../disk/tree/file-tree.ts';
import { outsideContexts } from './context.ts';

/** What a bucket's locks and files run on. Much code, so this module is loaded when the first of them is used. */
export interface Engine {
  readonly locks: LockTable;
  readonly tree: FileTree;
}

export function createEngine(place: BucketPlace, root: Root): Engine {
  const { durability } = root;
  const foldsNames = (): boolean => root.open()?.foldsNames ?? false;
  const locks = new LockTable(place, { durability, foldsNames, detach: outsideContexts });
  const tree = new FileTree(place, { durability, foldsNames, epoch: () => locks.epoch(), session: locks.folder });
  return { locks, tree };
}
