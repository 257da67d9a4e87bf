/**
 * The path of an entry inside its bucket's file system, one name per component; the root is the empty list.
 * https://fs.spec.whatwg.org/#locator
 */
export type Locator = readonly string[];

/** https://fs.spec.whatwg.org/#entry */
export type EntryKind = 'file' | 'directory';

/** Whether two locators name the same place. */
export function sameLocator(a: Locator, b: Locator): boolean {
  return a.length === b.length && isWithin(a, b);
}

/** Whether `inner` is `outer` itself or lies below it. */
export function isWithin(inner: Locator, outer: Locator): boolean {
  return outer.length <= inner.length && outer.every((name, index) => name === inner[index]);
}
