import { isWithin } from '../../disk/locator.ts';
import type { Locator } from '../../disk/locator.ts';
import type { FileChange } from '../../disk/locks/lock-table.ts';
import type { ChangeListener } from '../change-feed.ts';
import { pathBelow } from '../entry.ts';
import type { Entry } from '../entry.ts';
import { entryError, webError } from '../errors.ts';
import { createHandle } from '../handles.ts';
import type { FileSystemChangeRecord, FileSystemChangeType } from '../change-record.ts';

type Tell = (observation: Observation, record: FileSystemChangeRecord) => void;

/**
 * One place that an observer observes. The place counts, not what is there: it may disappear and appear again.
 * https://github.com/whatwg/fs/blob/main/proposals/FileSystemObserver.md
 */
export class Observation implements ChangeListener {
  readonly root: Entry;
  readonly #rootHandle: FileSystemChangeRecord['root'];
  readonly #depth: number;
  readonly #tell: Tell;
  #isStopped = false;

  constructor(root: Entry, recursive: boolean, tell: Tell) {
    this.root = root;
    this.#rootHandle = createHandle(root.system, root.kind, root.locator);
    this.#depth = recursive ? Infinity : 1;
    this.#tell = tell;
    root.system.changes.add(this);
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  stop(): void {
    this.#isStopped = true;
    this.root.system.changes.delete(this);
  }

  ended(): void {
    this.#isStopped = true;
  }

  missed(): void {
    this.#report('unknown', []);
  }

  changed(change: FileChange): void {
    switch (change.operation) {
      case 'create':
        this.#appeared(change.source, change);
        break;
      case 'modify':
        this.#modified(change);
        break;
      case 'remove':
      case 'empty':
        this.#disappeared(change);
        break;
      case 'move':
        this.#moved(change, change.target ?? change.source);
        break;
      case 'hold':
        // Nothing has changed, and nobody says so.
    }
  }

  #modified(change: FileChange): void {
    const path = this.#pathTo(change.source, change);
    if (path !== null) this.#report('modified', path, change);
  }

  /** Where something is now that may have been elsewhere, or not at all. */
  #appeared(place: Locator, change: FileChange): void {
    const path = this.#pathTo(place, change);
    if (path !== null) this.#report('appeared', path, change);
    else if (this.#isAbove(place) && this.#rootExists()) this.#report('appeared', []);
  }

  #disappeared(change: FileChange): void {
    const path = this.#pathTo(change.source, change);
    if (this.#isAbove(change.source)) this.#report('disappeared', []);
    else if (path === null) return;
    // The root of the bucket stays when it is emptied, and what was in it is not known any more.
    else this.#report(change.operation === 'empty' ? 'unknown' : 'disappeared', path);
  }

  /** Over the edge of what is observed, a move is an appearance or a disappearance. */
  #moved(change: FileChange, target: Locator): void {
    const from = this.#pathTo(change.source, change);
    const to = this.#pathTo(target, change);
    if (from !== null && to !== null) {
      this.#report('moved', to, change, from);
    } else {
      this.#disappeared(change);
      this.#appeared(target, change);
    }
  }

  /** The path from the root, or null when the place, or the kind of what is at the root itself, is not observed. */
  #pathTo(place: Locator, change: FileChange): string[] | null {
    const path = pathBelow(this.root.locator, place);
    if (path === null || path.length > this.#depth) return null;
    return path.length === 0 && change.kind !== this.root.kind ? null : path;
  }

  #isAbove(place: Locator): boolean {
    return place.length < this.root.locator.length && isWithin(this.root.locator, place);
  }

  #rootExists(): boolean {
    try {
      return this.root.system.tree.kindOf(this.root.locator) === this.root.kind;
    } catch {
      return false; // cannot be looked at, so nothing can be said of it
    }
  }

  #report(type: FileSystemChangeType, path: string[], change?: FileChange, movedFrom: string[] | null = null): void {
    const { system, kind, locator } = this.root;
    const isThere = type === 'appeared' || type === 'modified' || type === 'moved';
    this.#tell(this, {
      root: this.#rootHandle,
      changedHandle: isThere ? createHandle(system, change?.kind ?? kind, [...locator, ...path]) : null,
      relativePathComponents: path,
      type,
      relativePathMovedFrom: movedFrom,
    });
  }
}

/**
 * Starts an observation: everything that ends after this is told.
 *
 * @throws DOMException NotFoundError when nothing is there
 */
export async function observe(entry: Entry, recursive: boolean, tell: Tell, context: string): Promise<Observation> {
  const { system, kind } = entry;
  system.requireOpen(context);
  const earlier = system.before(entry.locator);
  if (earlier !== undefined) await earlier;
  const root: Entry = { system, kind, locator: entry.locator };
  try {
    if (system.tree.kindOf(root.locator) !== kind) {
      throw entryError('NotFoundError', context, root.locator, 'does not exist');
    }
    return new Observation(root, recursive, tell);
  } catch (error) {
    throw webError(error, context);
  }
}
