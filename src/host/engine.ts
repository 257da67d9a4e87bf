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
  const locks = new LockTable(place, { durability: root.durability, detach: outsideContexts });
  const tree = new FileTree(place, {
    epoch: () => locks.epoch(),
    session: crypto.randomUUID(),
    foldsNames: () => root.open()?.foldsNames ?? false,
    durability: root.durability,
  });
  return { locks, tree };
}
