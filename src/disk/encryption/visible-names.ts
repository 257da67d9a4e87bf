import fs from 'node:fs';
import path from 'node:path';
import { LONG_COMPONENT, LONG_MARK } from '../names/name.ts';
import type { SealedNames } from './files/sealed-names.ts';

/** Beside the entries of a tree: the spelling of a long name, or one that was being written. It is as encrypted as the names are. */
export const SPELLING = /^%~[0-9a-f]{64}(?:\.[0-9a-f-]{36})?$/;

const COORDINATORS = 'coordinators';

/**
 * What of an origin has a name that is not encrypted: entries of its trees, and directories of coordinators. To be called
 * while nobody changes it.
 *
 * @param namesOf - those of a bucket, by its directory
 * @throws the operating system's error
 */
export function visibleNamesOf(origin: string, namesOf: (bucket: string) => SealedNames): string[] {
  const inTrees = [...treesIn(origin)].flatMap(([tree, bucket]) => visibleNamesIn(tree, namesOf(bucket)));
  return [...inTrees, ...visibleCoordinatorsIn(origin, namesOf)];
}

/** The trees of files in an origin's directory, each with the directory of its bucket. */
function* treesIn(origin: string): Generator<readonly [tree: string, bucket: string]> {
  const named = directoriesIn(path.join(origin, 'buckets')).map((id) => `buckets/${id}`);
  for (const bucket of ['default', ...named, ...coordinatorsIn(origin).map((each) => `${each}/storage`)]) {
    for (const name of directoriesIn(path.join(origin, bucket))) if (name.startsWith('files.')) yield [path.join(origin, bucket, name), bucket];
  }
}

/** The directories of an origin's coordinators, below its own. */
function coordinatorsIn(origin: string): string[] {
  return directoriesIn(path.join(origin, COORDINATORS)).flatMap((className) => directoriesIn(path.join(origin, COORDINATORS, className)).map((name) => `${COORDINATORS}/${className}/${name}`));
}

/**
 * Directories of an origin's coordinators, and of their classes, whose names are not encrypted, or not those that are beside.
 *
 * @param namesOf - those of a bucket, by its directory
 * @throws the operating system's error
 */
function visibleCoordinatorsIn(origin: string, namesOf: (bucket: string) => SealedNames): string[] {
  const classes = directoriesIn(path.join(origin, COORDINATORS)).map((className) => `${COORDINATORS}/${className}`);
  const visible = [
    ...classes.filter((at) => namesOf(COORDINATORS).decode(path.posix.basename(at)) === null),
    ...coordinatorsIn(origin).filter((at) => !isSealedCoordinator(path.join(origin, at), namesOf(path.posix.dirname(at)))),
  ];
  return visible.map((at) => path.join(origin, at));
}

function isSealedCoordinator(directory: string, names: SealedNames): boolean {
  const component = path.basename(directory);
  const decoded = names.decode(component);
  if (decoded === null || 'name' in decoded) return decoded !== null;
  return names.decodeSpelling(component, read(directory, 'name')) !== null;
}

function directoriesIn(directory: string): string[] {
  if (!fs.existsSync(directory)) return [];
  return fs.readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/**
 * The entries of a tree whose names are not encrypted; to be called while nobody changes it. What keeps the spelling of a
 * name from before, and has lost its entry to a kill, is deleted.
 *
 * @throws the operating system's error
 */
function visibleNamesIn(tree: string, names: SealedNames): string[] {
  const found: string[] = [];
  const waiting = [tree];
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    const entries = fs.readdirSync(directory, { withFileTypes: true });
    for (const entry of entries) if (entry.isDirectory()) waiting.push(path.join(directory, entry.name));
    found.push(...visibleIn(directory, entries.map(({ name }) => name), names));
  }
  return found;
}

function visibleIn(directory: string, entries: readonly string[], names: SealedNames): string[] {
  const spellings = entries.filter((name) => SPELLING.test(name));
  const visible = entries.filter((name) => !SPELLING.test(name) && !isSealed(directory, name, names));
  const needed = new Set(visible.map((name) => LONG_COMPONENT.exec(name)?.[1]).map((hash) => `${LONG_MARK}${hash ?? ''}`));
  for (const name of spellings) if (!needed.has(name) && !names.isSpelling(read(directory, name))) fs.unlinkSync(path.join(directory, name));
  return visible.map((name) => path.join(directory, name));
}

function isSealed(directory: string, component: string, names: SealedNames): boolean {
  const decoded = names.decode(component);
  if (decoded === null || 'name' in decoded) return decoded !== null;
  return names.isSpelling(read(directory, decoded.spellingFile));
}

/** Empty where it is not there. */
function read(directory: string, name: string): string {
  const file = path.join(directory, name);
  return fs.lstatSync(file, { throwIfNoEntry: false })?.isFile() === true ? fs.readFileSync(file, 'utf8') : '';
}
