import fs from 'node:fs';
import { nextTurn } from '../../runtime/timers.ts';
import { systemCode } from '../journal/disk-error.ts';
import type { Draft } from './draft.ts';
import { factsOf, isFresh, keptOf } from './file-facts.ts';
import type { ListedFile } from './listing.ts';
import { Moved } from './part.ts';
import type { Taken } from './taken.ts';

/** Entries that are looked at in one turn of the event loop. */
const SLICE = 256;

export interface Walk {
  /** What the backup before has of a file, by its path. */
  readonly previous: (path: string) => ListedFile | undefined;
  readonly draft: Draft;
  /** Files to leave alone, by their paths on the disk: they are written to in place. */
  readonly except: ReadonlySet<string>;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Takes all plain files and directories below a directory; nobody changes names meanwhile, or else it is begun again.
 * What changed since the backup before gets a second name. Links, pipes and names that are no UTF-8 are nobody's.
 *
 * @throws Moved; the operating system's error
 */
export class TreeWalk {
  readonly #walk: Walk;
  readonly #taken: Taken;
  #looks = 0;

  constructor(walk: Walk, taken: Taken) {
    this.#walk = walk;
    this.#taken = taken;
  }

  /** `relative`: the directory's path in the backup. */
  async take(directory: string, relative: string): Promise<void> {
    this.#taken.directories.push(relative);
    for (const { name, isDirectory } of entriesOf(directory)) {
      this.#looks += 1;
      if (this.#looks % SLICE === 0) await nextTurn();
      const [path, below] = [`${directory}/${name}`, `${relative}/${name}`];
      if (isDirectory) await this.take(path, below);
      else if (!this.#walk.except.has(path)) this.takeFile(path, below);
    }
  }

  /** One file that is never changed in place, or of which nobody has a handle. @throws Moved where it is gone */
  takeFile(path: string, relative: string): void {
    const facts = factsOf(path);
    if (facts === null) throw new Moved(path);
    const kept = keptOf(this.#walk.previous(relative), facts);
    if (kept !== null) this.#taken.files.push({ path: relative, kept });
    else this.#taken.files.push({ path: relative, kept: null, facts, isStub: facts.isStub, isFresh: isFresh(facts, this.#walk.now), content: this.#link(path) });
  }

  #link(path: string): string {
    try {
      return this.#walk.draft.link(path);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') throw new Moved(path);
      throw error;
    }
  }
}

interface Entry {
  readonly name: string;
  readonly isDirectory: boolean;
}

/** In the order of their names. @throws Moved where the directory is gone */
function entriesOf(directory: string): Entry[] {
  try {
    const entries = fs.readdirSync(directory, { withFileTypes: true });
    const ours = entries.filter((entry) => (entry.isFile() || entry.isDirectory()) && !isForeign(directory, entry.name));
    return ours.map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() })).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error))) throw new Moved(directory);
    throw error;
  }
}

/** Bytes that are no UTF-8 are read as U+FFFD, and `\` is in no name that is ours. */
function isForeign(directory: string, name: string): boolean {
  if (name.includes('\\')) return true;
  return name.includes('\ufffd') && fs.lstatSync(`${directory}/${name}`, { throwIfNoEntry: false }) === undefined;
}
