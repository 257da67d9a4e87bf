import type { Locator } from '../../disk/locator.ts';
import type { Operation } from '../../disk/replica/operation.ts';
import type { Numbered } from '../../disk/replica/pending-queue.ts';
import { readChange } from './files-model.ts';
import type { FilesModel } from './files-model.ts';
import { keyOf, locatorOf } from './locators.ts';
import { applyChange, DIRECTORY } from './table.ts';
import type { Losses, Table, TableEntry } from './table.ts';

/** What is lost is told of when the order says so, not when it is only expected. */
const UNTOLD: Losses = { lost: () => undefined, seen: () => undefined };

/**
 * What the files of this replica should be: the confirmed table with the pending changes on top. It holds only what
 * differs from the table, and is made anew when that has changed.
 */
export class View implements Table {
  readonly #base: FilesModel;
  /** Null: nothing is there. */
  readonly #own = new Map<string, TableEntry | null>();

  constructor(base: FilesModel, pending: Iterable<Numbered>) {
    this.#base = base;
    for (const { operation } of pending) this.add(operation);
  }

  /** One more change is pending. */
  add(operation: Operation): void {
    const change = readChange(operation);
    if (change !== null) applyChange(this, change, operation, UNTOLD);
  }

  get(locator: Locator): TableEntry | undefined {
    if (this.#own.size === 0) return this.#base.get(locator);
    const own = this.#own.get(keyOf(locator));
    return own === undefined ? this.#base.get(locator) : (own ?? undefined);
  }

  hasChildren(locator: Locator): boolean {
    if (this.#own.size === 0) return this.#base.hasChildren(locator);
    for (const name of this.#base.childNames(locator)) {
      if (this.#own.get(keyOf([...locator, name])) !== null) return true;
    }
    const prefix = `${keyOf(locator)}/`;
    for (const [key, entry] of this.#own) {
      if (entry !== null && key.startsWith(prefix)) return true;
    }
    return false;
  }

  directoriesTo(locator: Locator, depth: number): number {
    if (this.#own.size === 0) return this.#base.directoriesTo(locator, depth);
    let there = 0;
    while (there < depth && this.get(locator.slice(0, there + 1))?.kind === 'directory') there += 1;
    return there;
  }

  makeDirectories(locator: Locator, depth: number): void {
    for (let length = depth; length > 0; length -= 1) {
      const place = locator.slice(0, length);
      if (this.get(place) !== undefined) return;
      this.set(place, DIRECTORY);
    }
  }

  set(locator: Locator, entry: TableEntry): void {
    this.#own.set(keyOf(locator), entry);
  }

  delete(locator: Locator): void {
    this.#own.set(keyOf(locator), null);
  }

  /** All places that have, or may have, an entry. */
  *places(): Generator<Locator> {
    for (const [locator] of this.#base.entries()) yield locator;
    for (const key of this.#own.keys()) yield locatorOf(key);
  }

  /** Places at which pending changes differ from the table. */
  *ownPlaces(): Generator<Locator> {
    for (const key of this.#own.keys()) yield locatorOf(key);
  }
}
