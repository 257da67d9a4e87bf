import path from 'node:path';
import process from 'node:process';
import { encodeOwn, type Owner } from '../../../../../disk/coordinator/owned-records.ts';
import { Journal } from '../../../../../disk/journal/journal.ts';
import { HoldfastError } from '../../../../../runtime/holdfast-error.ts';
import { randomInteger } from '../../../../../runtime/random.ts';
import { COMMIT, encodeStretches, OWN, type Stretch } from './commit-records.ts';
import { CommitMachine } from './commit-machine.ts';

/** Long before the sequences of a session could run out, another takes its place. */
const LAST_SEQUENCE = 2 ** 31;

interface Held {
  readonly journal: Journal<boolean>;
  readonly machine: CommitMachine;
}

/**
 * What the logs of a hub have in common: an owned journal, as coordinators have one each, to which what is appended to
 * any number of them is written at once, with one sync. Invariants:
 * - What was committed survives a power failure, and stays here until the log's own journal has it.
 * - Only its owner writes: a server that another has taken over from neither commits nor shows anything any more.
 * - After a sync that failed nobody knows what the disk holds: it is written anew before anything is shown or committed.
 */
export class CommitLog {
  readonly directory: string;
  readonly #make: () => void;
  #held: Held | null = null;
  /** The session of this server's records, and the one before: whichever of both owns, it is this server. */
  #session = randomInteger();
  #sessionBefore = 0;
  #sequence = 0;
  #hasOwned = false;
  #isDeposed = false;
  #isDoubtful = false;

  /** Does no I/O. @param make - makes the journal, by one rename */
  constructor(directory: string, make: () => void) {
    this.directory = directory;
    this.#make = make;
  }

  /** Bytes of its journal, as far as it was used. */
  get size(): number {
    return this.#held?.journal.size ?? 0;
  }

  /**
   * Becomes the owner, unless this server is.
   *
   * @throws HoldfastError `hub-unreachable` when another server has become it since; and as a journal's `append`
   */
  own(): void {
    this.#owned();
  }

  #owned(): Held {
    if (this.#isDeposed) throw deposed();
    return (this.#held ??= this.#claim());
  }

  #claim(): Held {
    const machine = new CommitMachine();
    // Only settling makes dead bytes, so only that compacts.
    const journal = new Journal(this.directory, machine, { durability: 'strict', compactAt: Number.MAX_SAFE_INTEGER });
    try {
      if (!journal.open()) {
        this.#make();
        journal.open();
      }
      journal.catchUp();
      const { owner, epoch } = machine.ownership;
      if (this.#hasOwned && !this.#isOwn(owner)) throw this.#depose();
      if (this.#isDoubtful) journal.compact();
      if (!journal.append(OWN, this.#session, this.#nextSequence(), encodeOwn(epoch, String(process.pid)))) throw this.#depose();
      this.#isDoubtful = false;
      this.#hasOwned = true;
      return { journal, machine };
    } catch (error) {
      journal.close();
      throw error;
    }
  }

  #isOwn(owner: Owner | null): boolean {
    return owner !== null && (owner.session === this.#session || owner.session === this.#sessionBefore);
  }

  #nextSequence(): number {
    if (this.#sequence === LAST_SEQUENCE) {
      this.#sessionBefore = this.#session;
      this.#session = randomInteger();
      this.#sequence = 0;
    }
    return ++this.#sequence;
  }

  #depose(): HoldfastError {
    this.#isDeposed = true;
    return deposed();
  }

  /** Makes sure that nobody else owns: one positioned read. */
  check(): void {
    const { journal, machine } = this.#owned();
    if (journal.catchUp() && this.#isOwn(machine.ownership.owner)) return;
    this.#drop(false);
    throw this.#depose();
  }

  /** What was committed of a log and was not settled. */
  tail(name: string): Stretch | undefined {
    return this.#owned().machine.tail(name);
  }

  /** The logs of which something was not settled. */
  names(): string[] {
    return this.#owned().machine.names();
  }

  /** All of it is on the disk when this returns, or none of it, or nobody knows: then it throws, and what is there is found by the next use. */
  commit(stretches: readonly Stretch[]): void {
    // The records of another session need another OWN.
    if (this.#sequence === LAST_SEQUENCE) this.#drop(false);
    const { journal } = this.#owned();
    const landed = this.#use(() => journal.append(COMMIT, this.#session, this.#nextSequence(), encodeStretches(stretches)));
    if (landed) return;
    this.#drop(false);
    throw this.#depose();
  }

  /** The own journal of a log has all up to a position, on the disk. */
  settle(name: string, position: number): void {
    this.#held?.machine.settle(name, position);
  }

  /** Gives back the room of what was settled. */
  compact(): void {
    const { journal } = this.#owned();
    this.#use(() => journal.compact());
  }

  #use<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      // On a full disk the journal is as it was.
      const isKnown = error instanceof HoldfastError && ['disk-full', 'root-read-only', 'record-too-large'].includes(error.code);
      if (!isKnown) this.#drop(true);
      throw error;
    }
  }

  #drop(isDoubtful: boolean): void {
    this.#held?.journal.close();
    this.#held = null;
    this.#isDoubtful ||= isDoubtful;
  }

  /** Gives its descriptor back. Whoever owns next asks nobody. */
  close(): void {
    this.#drop(false);
  }
}

/** The directory of it in a hub's root. */
export function commitsDirectory(root: string): string {
  return path.join(root, 'commits');
}

function deposed(): HoldfastError {
  return new HoldfastError('hub-unreachable', 'Another server has taken over the root of this hub.');
}
