import { HoldfastError } from '../../../../runtime/holdfast-error.ts';
import { randomInteger } from '../../../../runtime/random.ts';
import { CommitLog } from './commits/commit-log.ts';
import { GroupCommit } from './commits/group-commit.ts';
import { Settling } from './commits/settling.ts';
import { isOutOfDescriptors } from './descriptors.ts';
import { LogPlaces } from './place.ts';
import { Uploads } from './uploads.ts';
import { type HubWriter, type LogKeeper, StoredLog } from './stored-log.ts';

/** Logs that are loaded at once: no more than this, and no more than so many bytes together, whichever is less. */
const LOADED_LOGS = 10_000;
const LOADED_BYTES = 2 ** 27;

/** What a store may use. */
export interface StoreLimits {
  /** Logs that there may be: each is some directories, and some hundred bytes of memory once it was used. */
  readonly logs: number;
  /** Descriptors for other files than journals. */
  readonly files: number;
  /** Bytes of blobs that one writer may have put and that no entry names yet. */
  readonly unnamedBytes: number;
  /** Bytes of commits from which on they are settled in the logs' own journals. */
  readonly settleAt: number;
}

export const UNNAMED_BYTES = 2 ** 34;

const LIMITS: StoreLimits = { logs: 100_000, files: 32, unnamedBytes: UNNAMED_BYTES, settleAt: 2 ** 25 };

/** Long before the sequences of a session could run out, another takes its place. */
const LAST_SEQUENCE = 2 ** 31;

/**
 * All logs of one root. Those that were not used for the longest time give their memory back. What is asked of logs that
 * there are not leaves nothing behind.
 */
export class HubStore implements LogKeeper {
  readonly places: LogPlaces;
  readonly uploads: Uploads;
  readonly commits: CommitLog;
  readonly group: GroupCommit;
  readonly writer: HubWriter = new Writer();
  readonly #settling: Settling;
  readonly #logs = new Map<string, StoredLog>();
  /** What each loaded log takes, the one that was used last at the end. */
  readonly #loaded = new Map<StoredLog, number>();
  readonly #moved: (log: StoredLog) => void;
  readonly #limits: StoreLimits;
  #bytes = 0;
  /** How many logs there are; null before the first is made. */
  #count: number | null = null;

  /** @param moved hears of every log to which something may have been appended */
  constructor(root: string, moved: (log: StoredLog) => void, limits: Partial<StoreLimits> = {}) {
    this.#limits = { ...LIMITS, ...limits };
    this.places = new LogPlaces(root, this.#limits.files);
    this.uploads = new Uploads(root, this.#limits.unnamedBytes);
    this.#moved = moved;
    this.commits = new CommitLog(this.places.commits, () => this.places.createCommits());
    this.#settling = new Settling(this.commits, (name) => this.find(name), this.#limits.settleAt);
    this.group = new GroupCommit(this.commits, (work) => this.#withRoom(work), () => this.#settling.begin());
  }

  /** Makes what the root needs, and becomes the owner of what is committed. Only for its one server. */
  prepare(): void {
    this.places.prepare();
    this.commits.own();
  }

  #withRoom(work: () => void): void {
    this.#settling.requireRoom();
    this.#persistently(work);
  }

  /** Without descriptors there is no more than to give back those that are idle, and to begin anew. */
  #persistently(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!isOutOfDescriptors(error)) throw error;
      this.relieve();
      work();
    }
  }

  /** How many logs there are. */
  get count(): number {
    return (this.#count ??= this.places.count());
  }

  get loaded(): { readonly logs: number; readonly bytes: number } {
    return { logs: this.#loaded.size, bytes: this.#bytes };
  }

  /** A log that there is, or null. */
  find(name: string): StoredLog | null {
    const known = this.#logs.get(name);
    if (known !== undefined) return known;
    return this.places.has(name) ? this.#add(name) : null;
  }

  /**
   * A log, which is made when it is not there.
   *
   * @throws HoldfastError `disk-full` when there are as many as there may be; and as the disk does
   */
  log(name: string): StoredLog {
    const found = this.find(name);
    if (found !== null) return found;
    if (this.count >= this.#limits.logs) throw new HoldfastError('disk-full', `The hub has ${this.count} logs, which is the most that it takes.`);
    const log = new StoredLog(name, this);
    log.make();
    this.#count = this.count + 1;
    this.#logs.set(name, log);
    return log;
  }

  #add(name: string): StoredLog {
    const log = new StoredLog(name, this);
    this.#logs.set(name, log);
    return log;
  }

  used(log: StoredLog): void {
    this.#forget(log);
    this.#loaded.set(log, log.size);
    this.#bytes += log.size;
    for (const other of this.#loaded.keys()) {
      const fits = this.#loaded.size <= LOADED_LOGS && this.#bytes <= LOADED_BYTES;
      // A log that is too large by itself must be loaded all the same while it is used.
      if (fits || other === log) return;
      this.#forget(other);
      other.suspend();
    }
  }

  moved(log: StoredLog): void {
    this.#moved(log);
  }

  relieve(log?: StoredLog): void {
    for (const other of [...this.#loaded.keys()]) {
      if (other === log) continue;
      this.#forget(other);
      other.suspend();
    }
  }

  #forget(log: StoredLog): void {
    this.#bytes -= this.#loaded.get(log) ?? 0;
    this.#loaded.delete(log);
  }

  /** Gives everything back. */
  close(): void {
    for (const log of this.#loaded.keys()) log.suspend();
    this.#loaded.clear();
    this.#bytes = 0;
    this.#settling.end();
    this.commits.close();
  }
}

class Writer implements HubWriter {
  session = randomInteger();
  #sequence = 0;

  readonly nextSequence = (): number => {
    if (this.#sequence === LAST_SEQUENCE) {
      this.session = randomInteger();
      this.#sequence = 0;
    }
    return ++this.#sequence;
  };
}
