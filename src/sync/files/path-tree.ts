import type { Locator } from '../../disk/locator.ts';

interface Node<T> {
  value: T | undefined;
  children: Map<string, Node<T>> | null;
}

/** Values at places of a file system. A place may have a value while those above it have none. */
export class PathTree<T> {
  #root: Node<T> = { value: undefined, children: null };

  get(locator: Locator): T | undefined {
    return this.#find(locator)?.value;
  }

  hasChildren(locator: Locator): boolean {
    return (this.#find(locator)?.children ?? null) !== null;
  }

  *childNames(locator: Locator): Generator<string> {
    yield* this.#find(locator)?.children?.keys() ?? [];
  }

  /** How many of the first `depth` places on the way have values that are as `isMet` asks, in a row; in one walk. */
  depthOf(locator: Locator, depth: number, isMet: (value: T) => boolean): number {
    let node: Node<T> | undefined = this.#root;
    for (let length = 0; length < depth; length += 1) {
      node = node.children?.get(locator[length] ?? '');
      if (node?.value === undefined || !isMet(node.value)) return length;
    }
    return depth;
  }

  /** Gives a value to all of the first `depth` places on the way that have none; in one walk. */
  fill(locator: Locator, depth: number, value: T): void {
    let node = this.#root;
    for (const name of locator.slice(0, depth)) {
      node = childOf(node, name);
      node.value ??= value;
    }
  }

  set(locator: Locator, value: T): void {
    let node = this.#root;
    for (const name of locator) node = childOf(node, name);
    node.value = value;
  }

  delete(locator: Locator): void {
    const path = this.#pathTo(locator);
    const last = path.at(-1);
    if (last === undefined) return;
    last.value = undefined;
    for (let depth = locator.length; depth > 0; depth -= 1) {
      const node = path[depth];
      if (node === undefined || node.value !== undefined || node.children !== null) return;
      const parent = path[depth - 1];
      parent?.children?.delete(locator[depth - 1] ?? '');
      if (parent?.children?.size === 0) parent.children = null;
    }
  }

  clear(): void {
    this.#root = { value: undefined, children: null };
  }

  /** Everything below a place, what is above first, siblings in the order of their UTF-16 code units. */
  *below(locator: Locator): Generator<[Locator, T]> {
    const start = this.#find(locator);
    if (start === undefined) return;
    const waiting = childrenOf(start, locator);
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const [place, node] = next;
      if (node.value !== undefined) yield [place, node.value];
      waiting.push(...childrenOf(node, place));
    }
  }

  #find(locator: Locator): Node<T> | undefined {
    let node: Node<T> | undefined = this.#root;
    for (const name of locator) node = node?.children?.get(name);
    return node;
  }

  /** From the root to the place; empty when nothing is there or below. */
  #pathTo(locator: Locator): Node<T>[] {
    let node: Node<T> = this.#root;
    const path = [node];
    for (const name of locator) {
      const child = node.children?.get(name);
      if (child === undefined) return [];
      path.push((node = child));
    }
    return path;
  }
}

/** Made if it is not there. */
function childOf<T>(node: Node<T>, name: string): Node<T> {
  node.children ??= new Map();
  let child = node.children.get(name);
  if (child === undefined) node.children.set(name, (child = { value: undefined, children: null }));
  return child;
}

/** Last one first. */
function childrenOf<T>({ children }: Node<T>, place: Locator): [Locator, Node<T>][] {
  const names = [...(children?.keys() ?? [])].sort().reverse();
  return names.flatMap((name) => {
    const child = children?.get(name);
    return child === undefined ? [] : [[[...place, name], child] as [Locator, Node<T>]];
  });
}
