import { isObject } from '../runtime/brands.ts';
import { define, ownProperty } from '../runtime/define.ts';
import { illegalInvocation } from '../webidl/interface.ts';
import type { FileSystemDirectoryHandle } from './directory-handle.ts';
import type { Entry } from './entry.ts';
import type { FileSystemFileHandle } from './file-handle.ts';
import { pace } from './pace.ts';

type Child = FileSystemFileHandle | FileSystemDirectoryHandle;

type Kind = 'entries' | 'keys' | 'values';

/** Where an iteration reads its children from. */
export interface ChildCursor {
  /** The next child's name and what makes its handle; null at the end. */
  next(): { readonly name: string; handle(): Child } | null;
  /** Lets go of the directory; harmless when called twice. */
  close(): void;
}

/** https://webidl.spec.whatwg.org/#es-asynchronous-iterable */
export interface FileSystemDirectoryHandleAsyncIterator<T> extends AsyncIterableIterator<T> {
  next(): Promise<IteratorResult<T, undefined>>;
  return(value?: unknown): Promise<IteratorResult<T, undefined>>;
}

/** What reading one child costs beside an operation. */
const OPERATIONS_PER_CHILD = 1 / 8;

const className = 'FileSystemDirectoryHandle AsyncIterator';

/** The error of a call on something that is no such iterator: a rejection, because both operations give promises. */
function rejectBrand(): Promise<never> {
  return Promise.reject(illegalInvocation(className));
}

/**
 * A default asynchronous iterator object. https://webidl.spec.whatwg.org/#js-default-asynchronous-iterator-object
 *
 * - Calls are answered in their order: one that comes while another is under way waits for it.
 * - The directory is opened by the first next() and let go at the end, at return(), or when the iterator is collected.
 */
class DirectoryIterator {
  readonly #directory: Entry;
  readonly #kind: Kind;
  #cursor: ChildCursor | null = null;
  #ongoing: Promise<unknown> | null = null;
  #isFinished = false;

  constructor(directory: Entry, kind: Kind) {
    this.#directory = directory;
    this.#kind = kind;
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    if (!isObject(this) || !(#ongoing in this)) return rejectBrand();
    return this.#inOrder(() => this.#next());
  }

  return(value?: unknown): Promise<IteratorResult<unknown, unknown>> {
    if (!isObject(this) || !(#ongoing in this)) return rejectBrand();
    return this.#inOrder(() => {
      this.#finish();
      return { value, done: true };
    });
  }

  /** Runs `step` now, or after the calls that came before it, whether or not they succeeded. */
  #inOrder<T>(step: () => T | Promise<T>): Promise<T> {
    const run = async () => step();
    const promise = this.#ongoing === null ? run() : this.#ongoing.then(run, run);
    const settled = () => {
      if (this.#ongoing === promise) this.#ongoing = null;
    };
    this.#ongoing = promise;
    promise.then(settled, settled);
    return promise;
  }

  async #next(): Promise<IteratorResult<unknown, undefined>> {
    if (this.#isFinished) return { value: undefined, done: true };
    try {
      this.#cursor ??= await this.#open();
      const child = this.#cursor.next();
      const pause = pace(OPERATIONS_PER_CHILD);
      if (pause !== null) await pause;
      if (child !== null) return { value: this.#valueOf(child), done: false };
    } catch (error) {
      this.#finish();
      throw error;
    }
    this.#finish();
    return { value: undefined, done: true };
  }

  async #open(): Promise<ChildCursor> {
    return this.#directory.system.perform(({ openDirectory }) => openDirectory(this.#directory, "Failed to execute 'next' on 'FileSystemDirectoryHandle AsyncIterator'"));
  }

  #valueOf(child: { readonly name: string; handle(): Child }): unknown {
    if (this.#kind === 'keys') return child.name;
    return this.#kind === 'values' ? child.handle() : [child.name, child.handle()];
  }

  #finish(): void {
    this.#isFinished = true;
    this.#cursor?.close();
    this.#cursor = null;
  }
}

/** https://tc39.es/ecma262/#sec-asynciteratorprototype */
const asyncIteratorPrototype: unknown = Object.getPrototypeOf(
  Object.getPrototypeOf(Object.getPrototypeOf((async function* () {})())),
);

// https://webidl.spec.whatwg.org/#js-asynchronous-iterator-prototype-object: it inherits from the engine's prototype,
// has no constructor, and its operations can be enumerated.
function shapePrototype(prototype: object): void {
  Reflect.deleteProperty(prototype, 'constructor');
  Object.setPrototypeOf(prototype, asyncIteratorPrototype as object);
  for (const [name, length] of [['next', 0], ['return', 1]] as const) {
    const descriptor = ownProperty(prototype, name);
    define(descriptor?.value, 'length', { value: length, configurable: true });
    define(prototype, name, { enumerable: true });
  }
  define(prototype, Symbol.toStringTag, { value: className, configurable: true });
}

shapePrototype(DirectoryIterator.prototype);

export function createDirectoryIterator<T>(directory: Entry, kind: Kind): FileSystemDirectoryHandleAsyncIterator<T> {
  return new DirectoryIterator(directory, kind) as unknown as FileSystemDirectoryHandleAsyncIterator<T>;
}
