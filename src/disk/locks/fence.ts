import fs from 'node:fs';
import path from 'node:path';
import { fsync } from '../../runtime/descriptor-calls.ts';
import { withDescriptor } from '../../runtime/descriptors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { ensureDirectory, isLink } from '../directories.ts';
import { randomUuid } from '../../runtime/random.ts';
import { systemCode } from '../journal/disk-error.ts';
import type { Locator } from '../locator.ts';
import type { NameScript } from '../names/script.ts';
import { locate } from '../tree/locate.ts';
import { TreeError, type TreeErrorCode } from '../tree/tree-error.ts';
import { syncDirectory } from '../journal/sync-directory.ts';
import type { Session } from './claims.ts';
import type { Intent } from './lock-table.ts';
import type { Participant } from './participant.ts';
import { encodeVerdicts, kinds, type Verdict } from './records.ts';

export interface FenceOptions {
  readonly bucket: string;
  /** How names are written on the disk. */
  readonly script: () => NameScript;
  /** Where there are none, the record alone puts an expired session out of reach of what it held. */
  readonly hasFiles: boolean;
}

/** What may stand where an entry should be; the session that holds the entry can do nothing to that. */
const notOurs: ReadonlySet<TreeErrorCode> = new Set(['not-found', 'type-mismatch', 'not-plain']);

const ATTEMPTS = 100;

/**
 * What must be done on disk before the locks of a session that is gone are granted to others. Invariants:
 * - the directory of an epoch appears exactly once, by the last rename of one fencer, and with it all the inodes that
 *   this fencer has replaced; until then it has a name that only this fencer uses, and tells of which epoch it will be;
 * - a fencer moves only what belongs to an earlier epoch than its own, or to an unfinished fence up to its own;
 * - so a fencer that stops half-way, or any other thread that stopped before a system call, finds its paths gone when it
 *   goes on, whatever was finished by others meanwhile;
 * - every step may be repeated, and finished by anyone.
 */
export class Fence {
  readonly #participant: Participant;
  readonly #bucket: string;
  readonly #script: () => NameScript;
  readonly #hasFiles: boolean;

  constructor(participant: Participant, options: FenceOptions) {
    this.#participant = participant;
    this.#bucket = options.bucket;
    this.#script = options.script;
    this.#hasFiles = options.hasFiles;
  }

  /** Ends a session that is proven dead. */
  bury(session: Session): void {
    const verdicts = this.#verdicts(session);
    this.#participant.tell(kinds.dead, () => encodeVerdicts(session.id, verdicts));
  }

  /**
   * Puts whatever expired sessions could still reach out of their reach, and says so in the journal.
   *
   * @throws HoldfastError when the disk does not let it.
   */
  complete(): void {
    const { machine } = this.#participant;
    if (this.#hasFiles) this.#requirePlain();
    for (let attempt = 0; machine.expired.size > 0; attempt++) {
      if (attempt === ATTEMPTS) throw new HoldfastError('disk-failed', `The files of ${this.#bucket} could not be fenced off`);
      if (this.#settle([...machine.expired], machine.epoch)) this.#conclude();
      this.#participant.look();
    }
  }

  /** Nothing is moved to where a link leads. */
  #requirePlain(): void {
    for (const name of ['swap', 'trash', `files.${this.#participant.machine.epoch}`]) {
      if (isLink(this.#path(name))) throw new HoldfastError('root-unusable', `${this.#path(name)} is a symbolic link, which is not followed.`);
    }
  }

  /** Brings the directory of `epoch` into being; false when someone else interfered. */
  #settle(expired: readonly Session[], epoch: number): boolean {
    if (!this.#hasFiles || this.#exists(`files.${epoch}`)) return true;
    const copies = new Copies(this.#path(path.join('swap', `fence-${randomUuid()}`)));
    const written = expired.flatMap((session) => writtenBy(session));
    try {
      const from = this.#before(epoch);
      for (const locator of written) copies.add(locator, this.#locate(from, locator));
      return this.#replaceAll(written, copies, epoch);
    } catch (error) {
      // Someone else has taken over, or swept the copies away.
      if (systemCode(error) === 'ENOENT') return false;
      throw error;
    } finally {
      copies.remove();
    }
  }

  #replaceAll(written: readonly Locator[], copies: Copies, epoch: number): boolean {
    const mine = `files.fence-${epoch}-${randomUuid()}`;
    fs.renameSync(this.#path(this.#before(epoch)), this.#path(mine));
    for (const locator of written) {
      const target = this.#locate(mine, locator);
      if (target === null) continue;
      const copy = copies.of(locator);
      // It was out of sight when the copies were made, because someone else moved it: again, from where it is now.
      if (copy === undefined) return false;
      fs.renameSync(copy, target);
      syncDirectory(path.dirname(target));
    }
    fs.renameSync(this.#path(mine), this.#path(`files.${epoch}`));
    syncDirectory(this.#bucket);
    return true;
  }

  /** The directory of the files, which has its name from an earlier epoch or from an unfinished fence for this one. */
  #before(epoch: number): string {
    const isBefore = (name: string): boolean => {
      const [, fence, number] = /^files\.(fence-)?(\d+)/.exec(name) ?? [];
      if (number === undefined || isLink(this.#path(name))) return false;
      return fence === undefined ? Number(number) < epoch : Number(number) <= epoch;
    };
    const name = withDescriptor(() => fs.readdirSync(this.#bucket)).find(isBefore);
    if (name === undefined) throw Object.assign(new Error(`${this.#bucket} has no files of before epoch ${epoch}`), { code: 'ENOENT' });
    return name;
  }

  /** The epoch's directory is there: what remains is to say what the sessions' operations did. */
  #conclude(): void {
    for (const session of [...this.#participant.machine.expired]) {
      if (this.#hasFiles) this.#removeSwap(session);
      const verdicts = this.#verdicts(session);
      this.#participant.tell(kinds.fenced, () => encodeVerdicts(session.id, verdicts));
    }
  }

  #removeSwap(session: Session): void {
    const swap = this.#path(path.join('swap', session.folder));
    ensureDirectory(this.#path('trash'));
    try {
      fs.renameSync(swap, this.#path(path.join('trash', `${session.folder}.${randomUuid()}`)));
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
    }
  }

  #verdicts(session: Session): Verdict[] {
    const verdicts: Verdict[] = [];
    for (const claim of session.claims.values()) {
      if (claim.type === 'operation' && claim.state === 'held') verdicts.push([claim.id, this.#hasHappened(claim.intent)]);
    }
    return verdicts;
  }

  /**
   * What the disk says of an operation whose session cannot tell. DONE means 'look again', so where the disk does not
   * say, it is DONE.
   */
  #hasHappened({ operation, source, target }: Intent): boolean {
    if (operation === 'hold') return false;
    const base = `files.${this.#participant.machine.epoch}`;
    if (operation === 'modify' || operation === 'empty' || !this.#exists(base)) return true;
    const isThere = this.#locate(base, source) !== null;
    if (operation === 'create') return isThere;
    return !isThere && (operation === 'remove' || target === undefined || this.#locate(base, target) !== null);
  }

  /** The path of an entry below a directory of the bucket; null when nothing of ours is there. */
  #locate(base: string, locator: Locator): string | null {
    try {
      const located = locate(this.#path(base), locator, this.#script());
      return located.stats === undefined ? null : located.path;
    } catch (error) {
      if (error instanceof TreeError && notOurs.has(error.code)) return null;
      throw error;
    }
  }

  #exists(name: string): boolean {
    return fs.lstatSync(this.#path(name), { throwIfNoEntry: false })?.isDirectory() === true;
  }

  #path(name: string): string {
    return path.join(this.#bucket, name);
  }
}

/** The files that a session may have open for writing in place. */
function writtenBy(session: Session): Locator[] {
  const written: Locator[] = [];
  for (const claim of session.claims.values()) {
    if (claim.type !== 'lock' || claim.lockClass === 'read-only' || claim.lockClass === 'siloed') continue;
    if (!claim.shared) written.push(claim.locator);
  }
  return written;
}

/** Copies of files, for new inodes: what a descriptor of the old ones writes is seen by nobody any more. */
class Copies {
  readonly #directory: string;
  readonly #paths = new Map<Locator, string>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  add(locator: Locator, source: string | null): void {
    if (source === null) return;
    ensureDirectory(this.#directory);
    const copy = path.join(this.#directory, String(this.#paths.size));
    withDescriptor(() => fs.copyFileSync(source, copy, fs.constants.COPYFILE_FICLONE));
    syncFile(copy);
    this.#paths.set(locator, copy);
  }

  of(locator: Locator): string | undefined {
    return this.#paths.get(locator);
  }

  remove(): void {
    fs.rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** What was flushed by the old holder stays on the disk. */
function syncFile(file: string): void {
  const descriptor = withDescriptor(() => fs.openSync(file, 'r+'));
  try {
    fsync(descriptor, file);
  } finally {
    fs.closeSync(descriptor);
  }
}
