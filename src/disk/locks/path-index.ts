import type { Locator } from '../locator.ts';
import { ClaimList, type Linked } from './claim-list.ts';
import { locatorsOf, type FileLockClaim, type OperationClaim, type Session } from './claims.ts';

/**
 * A place in the tree of names that claims are on, or above one. A node that holds nothing and has nothing below it
 * is dropped, so the index is as large as what is claimed.
 */
export interface PathNode extends Linked<PathNode> {
  readonly parent: PathNode | null;
  readonly name: string;
  readonly children: Map<string, PathNode>;
  /** Those of them at or below which operations are, in the order of the last one that came there. */
  readonly busy: ClaimList<PathNode>;
  /** Operations on this very place, running and waiting, in order. */
  readonly operations: OperationClaim[];
  /** Those of them that cover the tree below. */
  readonly trees: OperationClaim[];
  /** Locks of handles, held. Those of one session are all of one class. */
  readonly locks: Map<Session, ClaimList<FileLockClaim>>;
  /** Operations here and below, those of them that cover trees, and locks. */
  operationCount: number;
  treeCount: number;
  lockCount: number;
  /** The order of the last operation that was ever put here or below, since the node is there. */
  lastOrder: number;
}

/**
 * Finds what stands in the way of a claim by walking its own path only, whatever else is claimed elsewhere. Only an
 * operation that covers a tree looks at what is below, and then only at what came after the last one that did.
 */
export class PathIndex {
  readonly #root = createNode(null, '');

  addOperation(claim: OperationClaim): void {
    for (const locator of locatorsOf(claim.intent)) {
      const node = this.#reach(locator);
      node.operations.push(claim);
      if (claim.tree) node.trees.push(claim);
      claim.nodes.push(node);
      countIn(node, claim);
    }
  }

  removeOperation(claim: OperationClaim): void {
    for (const node of claim.nodes) {
      removeOrdered(node.operations, claim);
      if (claim.tree) removeOrdered(node.trees, claim);
      countOut(node, claim);
      prune(node);
    }
    claim.nodes = [];
  }

  addLock(claim: FileLockClaim): void {
    const node = this.#reach(claim.locator);
    let locks = node.locks.get(claim.session);
    if (locks === undefined) node.locks.set(claim.session, (locks = new ClaimList()));
    locks.push(claim);
    claim.node = node;
    for (let above: PathNode | null = node; above !== null; above = above.parent) above.lockCount++;
  }

  removeLock(claim: FileLockClaim): void {
    const { node, session } = claim;
    if (node === null) return;
    const locks = node.locks.get(session);
    locks?.remove(claim);
    if (locks?.first === null) node.locks.delete(session);
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
    const found = new Set<OperationClaim>();
    for (const locator of locators) this.#collectOperations(locator, { tree, order, found });
    return found.size === 0 ? null : found;
  }

  /** A handle's lock that refuses an operation here, if any; locks on `exempt` do not count. */
  lockInTheWay(locator: Locator, tree: boolean, exempt: Locator | null): FileLockClaim | null {
    const node = this.#find(locator);
    if (node === null || node.lockCount === 0) return null;
    return findLock(node, tree, exempt === null ? null : this.#find(exempt));
  }

  /** One lock of each session that has handles with locks on a file. */
  *locksOn(locator: Locator): Iterable<FileLockClaim> {
    for (const { first } of this.#find(locator)?.locks.values() ?? []) if (first !== null) yield first;
  }

  #collectOperations(locator: Locator, search: Search): void {
    let node: PathNode = this.#root;
    let standIn = addTree(node, search, -1);
    for (const name of locator) {
      if (search.tree) addLast(node, search);
      const child = node.children.get(name);
      if (child === undefined || child.operationCount === 0) return;
      node = child;
      standIn = addTree(node, search, standIn);
    }
    const here = addLast(node, search);
    // An operation here has waited for the trees below that came before it, whether or not it covers one itself.
    addBelow(node, search, search.tree ? standIn : Math.max(standIn, here));
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
    busy: new ClaimList(),
    before: null,
    after: null,
    operations: [],
    trees: [],
    locks: new Map(),
    operationCount: 0,
    treeCount: 0,
    lockCount: 0,
    lastOrder: -1,
  };
}

function countIn(node: PathNode, { tree, order }: OperationClaim): void {
  for (let above: PathNode | null = node; above !== null; above = above.parent) {
    if (above.operationCount > 0) above.parent?.busy.remove(above);
    above.parent?.busy.push(above);
    above.lastOrder = order;
    above.operationCount++;
    if (tree) above.treeCount++;
  }
}

function countOut(node: PathNode, { tree }: OperationClaim): void {
  for (let above: PathNode | null = node; above !== null; above = above.parent) {
    above.operationCount--;
    if (tree) above.treeCount--;
    if (above.operationCount === 0) above.parent?.busy.remove(above);
  }
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

/** Adds the last operation of a place, and gives its order. */
function addLast({ operations }: PathNode, { order, found }: Search): number {
  const last = lastBefore(operations, order);
  if (last !== undefined) found.add(last);
  return last?.order ?? -1;
}

/**
 * Adds the last operation of a place that covers what lies below. It stands in for everything there that came before
 * it, as long as it waits or runs itself; `before` is the order of the last such stand-in further up.
 */
function addTree({ trees }: PathNode, { order, found }: Search, before: number): number {
  const last = lastBefore(trees, order);
  if (last !== undefined) found.add(last);
  return Math.max(before, last?.order ?? -1);
}

/** Adds what is below, but for what an operation of the order `standIn`, found before, waits for. */
function addBelow(node: PathNode, search: Search, standIn: number): void {
  for (let child = node.busy.last; child !== null && child.lastOrder > standIn; child = child.before) {
    if ((search.tree ? child.operationCount : child.treeCount) === 0) continue;
    const last = lastBefore(search.tree ? child.operations : child.trees, search.order);
    if (last !== undefined && last.order > standIn) search.found.add(last);
    addBelow(child, search, standIn);
  }
}

/** A lock here, or with `tree` also below; none on `exempt`. */
function findLock(node: PathNode, tree: boolean, exempt: PathNode | null): FileLockClaim | null {
  if (node !== exempt) for (const { first } of node.locks.values()) return first;
  if (!tree) return null;
  for (const child of node.children.values()) {
    const below = child.lockCount === 0 ? null : findLock(child, tree, exempt);
    if (below !== null) return below;
  }
  return null;
}

// Claims in order: found by halves.

function lastBefore(claims: readonly OperationClaim[], order: number): OperationClaim | undefined {
  return claims[indexFrom(claims, order) - 1];
}

function removeOrdered(claims: OperationClaim[], claim: OperationClaim): void {
  const index = indexFrom(claims, claim.order);
  // Most leave from the front, which a splice is slow at.
  if (index === 0) claims.shift();
  else claims.splice(index, 1);
}

/** The index of the first claim of this order or a later one. */
function indexFrom(claims: readonly OperationClaim[], order: number): number {
  let [low, high] = [0, claims.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((claims[middle]?.order ?? order) < order) low = middle + 1;
    else high = middle;
  }
  return low;
}
