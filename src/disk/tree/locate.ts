import fs from 'node:fs';
import type { EntryKind, Locator } from '../locator.ts';
import type { LongSpelling } from '../names/name.ts';
import type { NameScript } from '../names/script.ts';
import { isStraight } from './straight.ts';
import { TreeError } from './tree-error.ts';

/** An entry's place on disk, reached over plain directories only. */
export interface Located {
  /** The path of the directory that holds the entry. */
  readonly parent: string;
  readonly path: string;
  /** For a name too long for one component: what must be kept beside the entry. */
  readonly long: LongSpelling | null;
  /** What is there; never a link followed. Undefined when nothing is. */
  readonly stats: fs.Stats | undefined;
}

const ABSENT_IS_AN_ANSWER = { throwIfNoEntry: false } as const;

/** Up to this depth a look at each component costs no more than to ask the kernel where the parent is. */
const SHALLOW = 8;

/**
 * Goes from `base` to an entry so that no link leads out of the bucket: by a look at every component itself (lstat), or
 * where that would be many, by asking the kernel where the parent really is.
 *
 * @throws TreeError 'not-found' or 'type-mismatch' when the parent is missing or no directory; 'not-plain' for a link,
 * device, socket or pipe anywhere on the way, the entry itself included.
 */
export function locate(base: string, locator: Locator, script: NameScript): Located {
  if (locator.length <= SHALLOW) return walk(base, locator, script);
  return leap(base, locator, script) ?? walk(base, locator, script);
}

/** Null where the parent is not there, or not reached over plain directories only: a walk tells what is wrong. */
function leap(base: string, locator: Locator, script: NameScript): Located | null {
  const encoded = locator.map((name) => script.encode(name));
  const last = encoded.pop();
  const below = encoded.map(({ component }) => `/${component}`).join('');
  if (last === undefined || !isStraight(base, below)) return null;
  const parent = base + below;
  const path = `${parent}/${last.component}`;
  return { parent, path, long: last.long, stats: lookAt(path, locator, locator.length) };
}

function walk(base: string, locator: Locator, script: NameScript): Located {
  let parent = base;
  let path = base;
  let long: LongSpelling | null = null;
  let stats: fs.Stats | undefined;
  for (const [depth, name] of locator.entries()) {
    if (depth > 0) requireDirectory(stats, locator, depth);
    const encoded = script.encode(name);
    parent = path;
    path = `${parent}/${encoded.component}`;
    long = encoded.long;
    stats = lookAt(path, locator, depth + 1);
  }
  if (locator.length === 0) stats = lookAt(path, locator, 0);
  return { parent, path, long, stats };
}

/** What is at a path, links not followed; undefined when nothing is. */
function lookAt(path: string, locator: Locator, depth: number): fs.Stats | undefined {
  const stats = fs.lstatSync(path, ABSENT_IS_AN_ANSWER);
  if (stats !== undefined && kindOf(stats) === null) throw new TreeError('not-plain', locator.slice(0, depth));
  return stats;
}

function requireDirectory(stats: fs.Stats | undefined, locator: Locator, depth: number): void {
  if (stats === undefined) throw new TreeError('not-found', locator.slice(0, depth));
  if (!stats.isDirectory()) throw new TreeError('type-mismatch', locator.slice(0, depth));
}

/** The kind of what was found; null for what is no entry of ours. */
export function kindOf(found: Pick<fs.Stats, 'isFile' | 'isDirectory'>): EntryKind | null {
  if (found.isFile()) return 'file';
  return found.isDirectory() ? 'directory' : null;
}
