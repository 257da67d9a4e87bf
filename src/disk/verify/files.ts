import fs from 'node:fs';
import path from 'node:path';
import { wallClock } from '../../runtime/timers.ts';
import { plainScript, type NameScript } from '../names/script.ts';
import { isSwapFolder, isTrash } from '../spelling.ts';
import { childrenOf } from '../tree/entries.ts';
import { readName } from '../tree/long-names.ts';
import { namesIn } from './entry.ts';
import type { Sealing } from '../tree/sealing.ts';
import type { Fault } from './finding.ts';
import { faultOfSealed } from './sealed-file.ts';

/** Of more places like these only the number is told. */
const TOLD = 100;

/** What is being done right now is not yet left behind; in milliseconds. */
const ABANDONED_MS = 10 * 60_000;

/** What begins so keeps the spelling of a long name, or is about to. */
const SPELLING = /^%~([0-9a-f]{64})(\.[0-9a-f-]{36})?$/;

/** How names and contents of files are to be read. */
export interface FileReading {
  readonly foldsNames: boolean;
  readonly isEncrypted: boolean;
  /** Null: they are not encrypted, or there is no key. */
  readonly sealing: Sealing | null;
}

/**
 * What is wrong with the names of a bucket's files, and what was left behind beside them. Contents are read where they are
 * encrypted and there is a key; others have no checksums.
 *
 * @param isDead - whether the session of a folder in `swap/` has ended.
 * @throws the operating system's error
 */
export function verifyFiles(bucket: string, reading: FileReading, isDead: (session: string) => boolean): Fault[] {
  const swap = path.join(bucket, 'swap');
  const trees = namesIn(bucket).filter((name) => /^files\.[0-9]+$/.test(name));
  const found = trees.flatMap((tree) => limited([...verifyTree(path.join(bucket, tree), reading)]));
  return [...found, ...leftBehind(swap, (name) => isSwapFolder(name) && isFilled(path.join(swap, name)) && isDead(name)), ...leftBehind(path.join(bucket, 'trash'), isTrash)];
}

function limited(faults: readonly Fault[]): Fault[] {
  const told = faults.slice(0, TOLD);
  const [next] = faults.slice(TOLD);
  if (next === undefined) return told;
  return [...told, { ...next, message: `${next.message} There are ${faults.length - TOLD} more places like these.` }];
}

function* verifyTree(tree: string, reading: FileReading): Generator<Fault, void> {
  const script = scriptOf(reading);
  const waiting = fs.lstatSync(tree, { throwIfNoEntry: false })?.isDirectory() === true ? [tree] : [];
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    const children = [...childrenOf(directory)].sort((a, b) => (a.name < b.name ? -1 : 1));
    const needed = new Set<string>();
    for (const child of children) {
      const at = path.join(directory, child.name);
      if (child.isDirectory()) waiting.push(at);
      const found = SPELLING.test(child.name) ? null : (faultOf(directory, at, child, script, needed) ?? faultInside(at, child, reading));
      if (found !== null) yield found;
    }
    if (script !== null) yield* orphans(directory, children, needed);
  }
}

function faultOf(directory: string, at: string, child: fs.Dirent, script: NameScript | null, needed: Set<string>): Fault | null {
  if (!child.isFile() && !child.isDirectory()) return fault('foreign', at, 'It is neither a plain file nor a directory. It is not followed, and nobody sees it.');
  if (script === null) return null;
  const decoded = script.decode(child.name);
  if (decoded === null) return isGone(at) ? null : fault('foreign', at, 'It has a name that Holdfast gives to nothing. Nobody sees it.');
  if ('name' in decoded) return null;
  needed.add(decoded.spellingFile);
  if (readName(directory, child.name, script) !== null || isGone(at)) return null;
  return fault('damaged', at, `Its name was longer than the disk takes, and the file ${decoded.spellingFile} that kept it is missing or damaged: nobody sees it. Its content is whole.`);
}

/** Null: names are encrypted, and there is no key. */
function scriptOf({ foldsNames, isEncrypted, sealing }: FileReading): NameScript | null {
  const visible = plainScript(foldsNames);
  return isEncrypted && sealing === null ? null : (sealing?.names(visible) ?? visible);
}

function faultInside(at: string, child: fs.Dirent, { sealing }: FileReading): Fault | null {
  const what = sealing === null || !child.isFile() ? null : faultOfSealed(at, sealing, 'beside-writers');
  return what === null ? null : fault('damaged', at, `${what} It cannot be read there; a backup may have it.`);
}

function isGone(at: string): boolean {
  return fs.lstatSync(at, { throwIfNoEntry: false }) === undefined;
}

/** Spellings of long names whose entries are gone, or never came. */
function* orphans(directory: string, children: readonly fs.Dirent[], needed: ReadonlySet<string>): Generator<Fault, void> {
  for (const { name } of children) {
    if (!SPELLING.test(name) || needed.has(name)) continue;
    const at = path.join(directory, name);
    const stats = fs.lstatSync(at, { throwIfNoEntry: false });
    if (stats === undefined || wallClock() - stats.mtimeMs < ABANDONED_MS) continue;
    yield { ...fault('orphan', at, 'It keeps the name of an entry that is not there. Nothing is lost.'), length: stats.size };
  }
}

/** A session that has left leaves an empty folder. */
function isFilled(folder: string): boolean {
  return fs.lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() === true && namesIn(folder).length > 0;
}

/** What is to be deleted, and was not, of one directory. */
function leftBehind(directory: string, isOurs: (name: string) => boolean): Fault[] {
  if (fs.lstatSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  const names = namesIn(directory).filter(isOurs);
  if (names.length === 0) return [];
  const message = `${names.length === 1 ? 'An entry is' : `${names.length} entries are`} still to be deleted: a process was killed, or is doing it. The next one that uses the files does. Nothing is lost.`;
  return [fault('orphan', directory, message)];
}

function fault(kind: Fault['kind'], at: string, message: string): Fault {
  return { kind, path: at, offset: 0, length: 0, message };
}
