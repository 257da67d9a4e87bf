import { types } from 'node:util';
import { define, ownProperty } from '../../runtime/define.ts';
import type { HandleCodec } from './codec.ts';
import { envelope } from './envelope.ts';
import type { Contents, Place } from './envelope.ts';
import { isObject, objectsIn, shapeOf } from './shape.ts';

/** An object of the message as it was when it was read, which is once, as the standard does. */
interface Node {
  readonly original: object;
  /** What it holds, by property or entry. Of an array, the objects only. */
  readonly inner: readonly (readonly [key: unknown, value: unknown])[];
  readonly holders: Node[];
  /** Set when the object leads to a handle (or has getters), and so is replaced by a copy that leads to its data. */
  copy: object | undefined;
}

/**
 * Puts `message` into an envelope in which each handle is replaced by its data. Returns it without one when there was no
 * handle after all, its getters having run.
 *
 * Only what leads to a handle is copied; the rest of the message stays as it is, so that what only the runtime can clone
 * or transfer still is. Objects in `transferred` are not looked into.
 */
export function pack(message: unknown, codec: HandleCodec, transferred: readonly unknown[]): unknown {
  return new Packer(codec, new Set(transferred)).pack(message);
}

class Packer {
  readonly #codec: HandleCodec;
  readonly #transferred: ReadonlySet<unknown>;
  readonly #nodes = new Map<object, Node>();
  /** One for each handle, so that a handle that occurs twice arrives as one. */
  readonly #data = new Map<object, object>();
  readonly #places: Place[] = [];

  constructor(codec: HandleCodec, transferred: ReadonlySet<unknown>) {
    this.#codec = codec;
    this.#transferred = transferred;
  }

  pack(message: unknown): unknown {
    // The root gets a holder, so that a message that is itself a handle has a place too.
    const root = this.#node({ message });
    this.#read(root);
    for (const node of this.#nodes.values()) this.#fill(node);
    if (root.copy === undefined) return message;
    const { message: packed } = root.copy as Pick<Contents, 'message'>;
    if (this.#data.size === 0) return packed;
    return envelope(Object.assign(root.copy as Pick<Contents, 'message'>, { handles: [...this.#data.values()], places: this.#places }));
  }

  /** Reads everything that `root` leads to. With a list of what is left, not by recursion: messages may be deep. */
  #read(root: Node): void {
    const pending = [root];
    for (let holder = pending.pop(); holder !== undefined; holder = pending.pop()) {
      for (const value of holder.inner.flat()) {
        if (!isObject(value) || this.#transferred.has(value)) continue;
        if (this.#codec.isHandle(value)) {
          this.#dataOf(value);
          mustCopy(holder);
        } else {
          const known = this.#nodes.get(value);
          const node = known ?? this.#node(value);
          if (known === undefined) pending.push(node);
          node.holders.push(holder);
          if (node.copy !== undefined) mustCopy(holder);
        }
      }
    }
  }

  #node(original: object): Node {
    const { inner, hasGetter } = innerOf(original);
    const node: Node = { original, inner, holders: [], copy: hasGetter ? {} : undefined };
    this.#nodes.set(original, node);
    return node;
  }

  #dataOf(handle: object): object {
    const data = this.#data.get(handle) ?? this.#codec.serialize(handle);
    this.#data.set(handle, data);
    return data;
  }

  #fill({ original, inner, copy }: Node): void {
    if (copy === undefined) return;
    if (types.isMap(copy)) this.#fillMap(copy, inner);
    else if (types.isSet(copy)) this.#fillSet(copy, inner);
    else if (Array.isArray(copy)) this.#fillArray(copy, original);
    else this.#fillProperties(copy, inner);
  }

  #fillMap(copy: Map<unknown, unknown>, inner: Node['inner']): void {
    for (const [key, value] of inner) copy.set(this.#replacement(key), this.#replacement(value));
    if (inner.flat().some((value) => this.#isPacked(value))) this.#places.push([copy]);
  }

  #fillSet(copy: Set<unknown>, inner: Node['inner']): void {
    for (const [, value] of inner) copy.add(this.#replacement(value));
    if (inner.some(([, value]) => this.#isPacked(value))) this.#places.push([copy]);
  }

  #fillArray(copy: unknown[], original: object): void {
    copy.length = (original as unknown[]).length;
    this.#fillProperties(copy, Object.entries(original));
  }

  #fillProperties(copy: object, inner: Node['inner']): void {
    for (const [name, value] of inner) {
      const key = String(name);
      // Not an assignment, which would take the name __proto__ for something else.
      define(copy, key, { value: this.#replacement(value), writable: true, enumerable: true, configurable: true });
      if (this.#isPacked(value)) this.#places.push([copy, key]);
    }
  }

  #isPacked(value: unknown): boolean {
    return isObject(value) && this.#data.has(value);
  }

  #replacement(value: unknown): unknown {
    if (!isObject(value)) return value;
    return this.#data.get(value) ?? this.#nodes.get(value)?.copy ?? value;
  }
}

/** Marks a node, and whatever leads to it, to be copied. */
function mustCopy(node: Node): void {
  const pending = [node];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (next.copy !== undefined) continue;
    next.copy = emptyCopy(next.original);
    pending.push(...next.holders);
  }
}

function emptyCopy(original: object): object {
  switch (shapeOf(original)) {
    case 'array':
      return [];
    case 'map':
      return new Map();
    case 'set':
      return new Set();
    default:
      return {};
  }
}

function innerOf(value: object): { inner: Node['inner']; hasGetter: boolean } {
  const inner: [unknown, unknown][] = [];
  switch (shapeOf(value)) {
    case 'opaque':
      break;
    case 'array':
      for (const element of objectsIn(value as unknown[])) inner.push([undefined, element]);
      break;
    case 'map':
      Map.prototype.forEach.call(value, (entry, key) => inner.push([key, entry]));
      break;
    case 'set':
      Set.prototype.forEach.call(value, (member) => inner.push([undefined, member]));
      break;
    case 'ordinary':
      return propertiesOf(value);
  }
  return { inner, hasGetter: false };
}

function propertiesOf(value: object): { inner: Node['inner']; hasGetter: boolean } {
  const inner: [string, unknown][] = [];
  let hasGetter = false;
  for (const key of Object.keys(value)) {
    const property = ownProperty(value, key);
    // A getter that ran before may have deleted it.
    if (property === undefined) continue;
    hasGetter ||= property.get !== undefined;
    inner.push([key, property.get === undefined ? property.value : property.get.call(value)]);
  }
  return { inner, hasGetter };
}
