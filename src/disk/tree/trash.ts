import fs from 'node:fs';
import { withDescriptors } from '../../runtime/descriptors.ts';
import { setTimeout, wallClock } from '../../runtime/timers.ts';
import { ENTRY_BYTES, freeOfCharge, weightOf } from '../quota/ledger.ts';
import type { Ledger } from '../quota/ledger.ts';
import { isLink } from '../directories.ts';
import { FREE_TRASH, isTrash } from '../spelling.ts';
import { systemError } from './open-plain.ts';
import { systemCode } from './tree-error.ts';

/** Freeing the blocks of a larger file takes the kernel long enough to be left to the background. */
const LARGE_BYTES = 16 * 2 ** 20;

/** How many entries go in one turn, and how long the next turn waits: other work comes first. */
const SLICE = 64;
const PAUSE_MS = 1;

/**
 * How deep a deletion goes, in bytes of path below the trash: each level keeps a descriptor open, and moves can put a
 * tree so far below another that its paths are longer than the system takes. What lies deeper is moved up first.
 */
const DEEP_BYTES = 1024;

let discarded = 0;

/**
 * Where removed trees go: a rename takes them out of sight at once, whatever their size; their entries are deleted in
 * the background, a few at a time. An exit does not wait for that. What is left then is deleted by a later `sweep`;
 * several deletions of one tree do not disturb each other. What an entry took is freed by whoever deletes it.
 */
export class Trash {
  readonly #path: string;
  readonly #session: string;
  readonly #ledger: Ledger;
  #work: Promise<void> = Promise.resolve();
  /** Whether it was seen that no link has its name. */
  #isPlain = false;

  constructor(path: string, session: string, ledger: Ledger = freeOfCharge) {
    this.#path = path;
    this.#session = session;
    this.#ledger = ledger;
  }

  /**
   * Removes an entry that `stats` describe: at once what is quick, by way of the trash what is not.
   *
   * @throws the operating system's error; then nothing has happened.
   */
  remove(path: string, stats: fs.Stats): void {
    if (stats.isDirectory()) this.#removeDirectory(path);
    else if (stats.size > LARGE_BYTES) this.discard(path);
    else this.#unlink(path, stats);
  }

  #unlink(path: string, stats: fs.Stats): void {
    const mark = this.#ledger.mark();
    fs.unlinkSync(path);
    this.#ledger.free(weightOf(stats), mark);
  }

  /**
   * Takes an entry out of sight with one rename; it is deleted later.
   *
   * @throws the operating system's error; then nothing has happened.
   */
  discard(path: string): void {
    this.#discard(path, this.#newPath());
  }

  /** The same with a session's folder, which costs nothing; what is in it does. */
  discardFolder(path: string): void {
    this.#discard(path, this.#newPath(FREE_TRASH));
  }

  #discard(path: string, target: string): void {
    this.#requirePlain();
    try {
      fs.renameSync(path, target);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT' || fs.existsSync(this.#path)) throw error;
      fs.mkdirSync(this.#path, { mode: 0o700 });
      fs.renameSync(path, target);
    }
    this.#work = this.#work.then(() => this.#deleteTree(target));
  }

  /** Deletes what earlier sessions have left, in the background. What has another spelling than theirs stays. */
  sweep(): void {
    if (!isLink(this.#path)) this.#work = this.#work.then(() => this.#deleteChildren(this.#path, { left: SLICE }, isTrash));
  }

  /** Nothing is moved to where a link leads. */
  #requirePlain(): void {
    if (this.#isPlain) return;
    if (isLink(this.#path)) throw systemError('ELOOP', this.#path);
    this.#isPlain = true;
  }

  #removeDirectory(path: string): void {
    const mark = this.#ledger.mark();
    try {
      fs.rmdirSync(path);
      this.#ledger.free(ENTRY_BYTES, mark);
    } catch (error) {
      if (systemCode(error) !== 'ENOTEMPTY' && systemCode(error) !== 'EEXIST') throw error;
      this.discard(path);
    }
  }

  #newPath(prefix = ''): string {
    return `${this.#path}/${prefix}${this.#session}.${(discarded += 1)}-${wallClock().toString(36)}`;
  }

  async #deleteTree(path: string, turn: Turn = { left: SLICE }): Promise<void> {
    await tolerating(async () => {
      const stats = await fs.promises.lstat(path);
      if (!stats.isDirectory()) return this.#freeing(weightOf(stats), () => fs.promises.unlink(path));
      if (Buffer.byteLength(path) - Buffer.byteLength(this.#path) > DEEP_BYTES) return this.#raise(path);
      await this.#deleteChildren(path, turn);
      await this.#freeing(this.#isFolder(path) ? 0 : ENTRY_BYTES, () => fs.promises.rmdir(path)).catch(() => this.#deleteByBytes(path));
    });
  }

  #isFolder(directory: string): boolean {
    const inTrash = directory.slice(this.#path.length + 1);
    return inTrash.startsWith(FREE_TRASH) && !inTrash.includes('/');
  }

  /** Only whoever has deleted it gives back what it took. */
  async #freeing(bytes: number, deletion: () => Promise<void>): Promise<void> {
    const mark = this.#ledger.mark();
    await deletion();
    this.#ledger.free(bytes, mark);
  }

  /** What is left then has names that are no text; the runtime's own deletion handles names as bytes. */
  async #deleteByBytes(path: string): Promise<void> {
    await fs.promises.rm(path, { recursive: true, force: true });
    this.#ledger.doubt();
  }

  async #deleteChildren(directory: string, turn: Turn, isDoomed = (_name: string): boolean => true): Promise<void> {
    await tolerating(async () => {
      for await (const child of await openDirectory(directory)) {
        if (!isDoomed(child.name)) continue;
        if (turn.left === 0) await pause(turn);
        turn.left -= 1;
        await this.#deleteTree(`${directory}/${child.name}`, turn);
      }
    });
  }

  /** Moves a directory from far below directly into the trash; it is deleted when what it was in is. */
  async #raise(path: string): Promise<void> {
    const raised = this.#newPath();
    await fs.promises.rename(path, raised);
    this.#work = this.#work.then(() => this.#deleteTree(raised));
  }
}

/** Entries that may still go in this turn. */
interface Turn {
  left: number;
}

/** A directory that denies its own owner is opened all the same. */
async function openDirectory(path: string): Promise<fs.Dir> {
  try {
    return await withDescriptors(() => fs.promises.opendir(path));
  } catch (error) {
    if (systemCode(error) !== 'EACCES') throw error;
    await fs.promises.chmod(path, 0o700);
    return fs.promises.opendir(path);
  }
}

/** Trash that cannot be deleted now (gone meanwhile, not empty yet, no permission) is left to a later sweep. */
async function tolerating(body: () => Promise<void>): Promise<void> {
  await body().catch(() => {});
}

/** The timer does not keep the process alive; an exit leaves the rest to a later sweep. */
function pause(turn: Turn): Promise<void> {
  return new Promise((resolve) => {
    const resume = (): void => {
      turn.left = SLICE;
      resolve();
    };
    setTimeout(resume, PAUSE_MS).unref();
  });
}
