import type { EntryKind } from '../../disk/locator.ts';
import type { ChildCursor } from '../directory-iterator.ts';
import type { Entry } from '../entry.ts';
import { handleError, webError } from '../errors.ts';
import type { FileSystem } from '../file-system.ts';
import { createHandle } from '../handles.ts';

type Children = Iterator<[name: string, kind: EntryKind], undefined>;

/** What an iteration reads; the children's handles are made from where the directory was when it was opened. */
class Cursor implements ChildCursor {
  readonly #system: FileSystem;
  readonly #children: Children;
  readonly #parent: readonly string[];
  readonly #context: string;

  constructor(directory: Entry, children: Children, context: string) {
    this.#system = directory.system;
    this.#parent = directory.locator;
    this.#children = children;
    this.#context = context;
  }

  next(): ReturnType<ChildCursor['next']> {
    this.#system.requireOpen(this.#context);
    try {
      const { value } = this.#children.next();
      if (value === undefined) return null;
      const [name, kind] = value;
      return { name, handle: () => createHandle(this.#system, kind, [...this.#parent, name]) };
    } catch (error) {
      throw webError(error, this.#context);
    }
  }

  close(): void {
    this.#children.return?.();
  }
}

/** https://fs.spec.whatwg.org/#api-filesystemdirectoryhandle-asynciterable */
export async function openDirectory(directory: Entry, context: string): Promise<ChildCursor> {
  const { system } = directory;
  system.requireOpen(context);
  const earlier = system.before(directory.locator);
  if (earlier !== undefined) await earlier;
  try {
    return new Cursor(directory, system.tree.entries(directory.locator), context);
  } catch (error) {
    throw handleError(error, directory, context);
  }
}
