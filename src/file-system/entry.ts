import { isWithin, sameLocator } from '../disk/locator.ts';
import type { EntryKind, Locator } from '../disk/locator.ts';
import type { FileSystem } from './file-system.ts';

/**
 * What one handle refers to: a place, whatever is there now. https://fs.spec.whatwg.org/#entry
 *
 * No two handles share one: a move gives the moved handle's entry, and no other, a new locator.
 */
export interface Entry {
  readonly system: FileSystem;
  readonly kind: EntryKind;
  locator: Locator;
}

/** https://fs.spec.whatwg.org/#entry-name: the root's is the empty string. */
export function nameOf(entry: Entry): string {
  return entry.locator.at(-1) ?? '';
}

/** https://fs.spec.whatwg.org/#locator-the-same-locator-as, for locators of any two buckets. */
export function isSameEntry(a: Entry, b: Entry): boolean {
  return a.kind === b.kind && a.system.isSameBucket(b.system) && sameLocator(a.locator, b.locator);
}

/** https://fs.spec.whatwg.org/#locator-resolve: the names that lead from `from` to `to`, or null when none do. */
export function relativePath(from: Entry, to: Entry): string[] | null {
  if (!from.system.isSameBucket(to.system)) return null;
  return pathBelow(from.locator, to.locator);
}

/** The part of `inner` below `outer`, or null when it lies elsewhere. */
export function pathBelow(outer: Locator, inner: Locator): string[] | null {
  return isWithin(inner, outer) ? inner.slice(outer.length) : null;
}

/** What separates names in this system's paths. On disk no name has either, so a root moves between systems all the same. */
const separators = process.platform === 'win32' ? ['/', '\\'] : ['/'];

/** https://fs.spec.whatwg.org/#valid-file-name */
export function requireValidName(name: string, context: string): void {
  if (name !== '' && name !== '.' && name !== '..' && !separators.some((separator) => name.includes(separator))) return;
  throw new TypeError(`${context}: '${name}' is not a valid name: it is empty, '.', '..', or has a separator of paths in it.`);
}
