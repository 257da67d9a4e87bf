import { sameLocator, type Locator } from '../locator.ts';
import { locatorsOf, type FileLockClaim, type OperationClaim } from './claims.ts';

/**
 * A place in the tree of names that claims are on, or above one. A node that holds nothing and has nothing below it
 * is dropped, so the index is as large as what is claimed.
 */
export interface PathNode {
  readonly parent: PathNode | null;
  readonly name: string;
  readonly children: Map<string, PathNode>;
  /** Operations on this very place, running and waiting, in order. */
  readonly operations: OperationClaim[];
  /** How many of `operations` cover the tree below. */
  trees: number;
  /** Locks of handles, held. */
  readonly locks: FileLockClaim[];
  /** Operations and locks here and below. */
  operationCount: number;
  lockCount: number;
}

/** Finds what stands in the way of a claim by walking its own path only, whatever else is claimed elsewhere. */
export class PathIndex {
  readonly #root = createNode(null, '');

  addOperation(claim: OperationClaim): void {
    for (const locator of locatorsOf(claim.intent)) {
      const node = this.#reach(locator);
      node.operations.push(claim);
      if (claim.tree) node.trees++;
      claim.nodes.push(node);
      for (let above: PathNode | null = node; above !== null; above = above.parent) above.operationCount++;
    }
  }

  removeOperation(claim: OperationClaim): void {
    for (const node of claim.nodes) {
      node.operations.splice(node.operations.indexOf(claim), 1);
      if (claim.tree) node.trees--;
      for (let above: PathNode | null = node; above !== null; above = above.parent) above.operationCount--;
      prune(node);
    }
    claim.nodes = [];
  }

  addLock(claim: FileLockClaim): void {
    const node = this.#reach(claim.locator);
    node.locks.push(claim);
    claim.node = node;
    for (let above: PathNode | null = node; above !== null; above = above.parent) above.lockCount++;
  }

  removeLock(claim: FileLockClaim): void {
    const node = claim.node;
    if (node === null) return;
    node.locks.splice(node.locks.indexOf(claim), 1);
    claim.node = null;
    for (let above: PathNode | null = node; above !== null; above = above.parent) above.lockCount--;
    prune(node);
  }

  /**
   * The operations before `order` that a claim on these locators waits for. Operations on one place conflict with each
   * other, so the last of a place stands for all before it.
   */
  operationsInTheWay(locators: readonly Locator[], tree: boolean, order: number): Set<OperationClaim> | null {
    if (this.#root.operationCount === 0) return null;
    const search = { tree, order, found: new Set<OperationClaim>() };
    for (const locator of locators) this.#collectOperations(locator, search);
    return search.found.size === 0 ? null : search.found;
  }

  /** A handle's lock that refuses an operation here, if any; locks on `exempt` do not count. */
  lockInTheWay(locator: Locator, tree: boolean, exempt: Locator | null): FileLockClaim | null {
    const node = this.#find(locator);
    if (node === null || node.lockCount === 0) return null;
    const counts = (lock: FileLockClaim): boolean => exempt === null || !sameLocator(lock.locator, exempt);
    return tree ? findLock(node, counts) : (node.locks.find(counts) ?? null);
  }

  /** The locks of handles on one file. */
  locksOn(locator: Locator): readonly FileLockClaim[] {
    return this.#find(locator)?.locks ?? [];
  }

  #collectOperations(locator: Locator, search: Search): void {
    let node: PathNode = this.#root;
    for (const name of locator) {
      addLast(node, search.tree, search);
      const child = node.children.get(name);
      if (child === undefined || child.operationCount === 0) return;
      node = child;
    }
    addLast(node, true, search);
    addBelow(node, search);
  }

  #find(locator: Locator): PathNode | null {
    let node: PathNode | undefined = this.#root;
    for (const name of locator) {
      node = node.children.get(name);
      if (node === undefined) return null;
    }
    return node;
  }

  #reach(locator: Locator): PathNode {
    let node = this.#root;
    for (const name of locator) {
      let child = node.children.get(name);
      if (child === undefined) {
        child = createNode(node, name);
        node.children.set(name, child);
      }
      node = child;
    }
    return node;
  }
}

function createNode(parent: PathNode | null, name: string): PathNode {
  return {
    parent,
    name,
    children: new Map(),
    operations: [],
    trees: 0,
    locks: [],
    operationCount: 0,
    lockCount: 0,
  };
}

function prune(leaf: PathNode): void {
  let node = leaf;
  while (node.parent !== null && node.operationCount === 0 && node.lockCount === 0) {
    node.parent.children.delete(node.name);
    node = node.parent;
  }
}

interface Search {
  readonly tree: boolean;
  readonly order: number;
  readonly found: Set<OperationClaim>;
}

/** Adds the last operation of a place: of all (`any`), or of those that cover what lies below. */
function addLast(node: PathNode, any: boolean, { order, found }: Search): void {
  if (!any && node.trees === 0) return;
  const last = node.operations.findLast((operation) => operation.order < order && (any || operation.tree));
  if (last !== undefined) found.add(last);
}

function addBelow(node: PathNode, search: Search): void {
  if (node.operationCount === node.operations.length) return;
  for (const child of node.children.values()) {
    addLast(child, search.tree, search);
    addBelow(child, search);
  }
}

function findLock(node: PathNode, counts: (lock: FileLockClaim) => boolean): FileLockClaim | null {
  if (node.lockCount === 0) return null;
  const here = node.locks.find(counts);
  if (here !== undefined) return here;
  for (const child of node.children.values()) {
    const below = findLock(child, counts);
    if (below !== null) return below;
  }
  return null;
}
