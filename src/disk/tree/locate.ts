import fs from 'node:fs';
import { dirname } from 'node:path';
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
  if (script.before !== undefined) return walkAmongMoving(base, locator, script, script.before);
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

function walk(base: string, locator: Locator, script: NameScript, step = stepTo): Located {
  let at: Located = { parent: base, path: base, long: null, stats: undefined };
  for (let depth = 1; depth <= locator.length; depth += 1) {
    if (depth > 1) requireDirectory(at.stats, locator, depth - 1);
    at = step(at.path, locator, depth, script);
  }
  if (locator.length === 0) at = { ...at, stats: lookAt(base, locator, 0) };
  return at;
}

/** `depth`: how many names of the locator lead there. */
function stepTo(parent: string, locator: Locator, depth: number, script: NameScript): Located {
  const { component, long } = script.encode(locator[depth - 1] ?? '');
  const path = `${parent}/${component}`;
  return { parent, path, long, stats: lookAt(path, locator, depth) };
}

/** Where an entry that is at `path` belongs; what is there may be that entry. */
export function spelled(path: string, locator: Locator, script: NameScript): Located {
  return stepTo(dirname(path), locator, locator.length, script);
}

/**
 * The same where entries get other names meanwhile, each once: it is looked for under both, and then again under the
 * new one. What is missed although it is there was renamed on the way; that is so for one walk each component at most.
 */
function walkAmongMoving(base: string, locator: Locator, script: NameScript, before: NameScript): Located {
  let isOld = false;
  const step: typeof stepTo = (parent, names, depth) => {
    const now = stepTo(parent, names, depth, script);
    if (now.stats !== undefined) return now;
    const old = stepTo(parent, names, depth, before);
    isOld ||= old.stats !== undefined;
    return old.stats === undefined ? stepTo(parent, names, depth, script) : old;
  };
  for (let walks = 0; ; walks += 1) {
    isOld = false;
    const isLast = (): boolean => !isOld || walks === locator.length;
    try {
      const found = walk(base, locator, script, step);
      if (found.stats !== undefined || isLast()) return found;
    } catch (error) {
      if (!(error instanceof TreeError) || error.code !== 'not-found' || isLast()) throw error;
    }
  }
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
