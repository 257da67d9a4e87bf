import type { NewEntry } from '../hub.ts';

/** Appends entries, all or none, and resolves to a position. */
export type WriteEntries = (entries: readonly NewEntry[]) => Promise<number>;

/** How much goes into one write; a call that is larger by itself goes alone. */
export interface WriteLimits {
  readonly entries: number;
  readonly bytes: number;
}

interface Call {
  readonly entries: readonly NewEntry[];
  readonly bytes: number;
  readonly resolve: (position: number) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Makes one write of the calls to append to one log that come while the write before is under way: a write costs a
 * round trip and a sync, whatever it holds. The order of the calls is kept, and no call is divided, so that each is
 * still all or none.
 */
export class AppendQueue {
  readonly #write: WriteEntries;
  readonly #limits: WriteLimits;
  readonly #onIdle: () => void;
  #waiting: Call[] = [];
  #writing = false;

  /** @param onIdle called when nothing is under way any more: nobody need remember the queue then */
  constructor(write: WriteEntries, limits: WriteLimits, onIdle: () => void) {
    this.#write = write;
    this.#limits = limits;
    this.#onIdle = onIdle;
  }

  append(entries: readonly NewEntry[]): Promise<number> {
    return new Promise((resolve, reject) => {
      const bytes = entries.reduce((sum, entry) => sum + entry.bytes.length, 0);
      this.#waiting.push({ entries, bytes, resolve, reject });
      if (!this.#writing) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#writing = true;
    while (this.#waiting.length > 0) await this.#writeGroup(this.#nextGroup());
    this.#writing = false;
    this.#onIdle();
  }

  async #writeGroup(group: readonly Call[]): Promise<void> {
    try {
      const position = await this.#write(group.flatMap(({ entries }) => entries));
      for (const { resolve } of group) resolve(position);
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }

  #nextGroup(): readonly Call[] {
    let entries = 0;
    let bytes = 0;
    const tooMany = this.#waiting.findIndex((call, index) => {
      entries += call.entries.length;
      bytes += call.bytes;
      return index > 0 && (entries > this.#limits.entries || bytes > this.#limits.bytes);
    });
    return this.#waiting.splice(0, tooMany === -1 ? this.#waiting.length : tooMany);
  }
}

/** The append queues of a hub's logs, each for as long as it has work. */
export class AppendQueues {
  readonly #queues = new Map<string, AppendQueue>();
  readonly #limits: WriteLimits;

  constructor(limits: WriteLimits) {
    this.#limits = limits;
  }

  /** Appends to the log of this name by `write`, or together with the calls that wait. */
  append(log: string, entries: readonly NewEntry[], write: WriteEntries): Promise<number> {
    let queue = this.#queues.get(log);
    if (queue === undefined) {
      queue = new AppendQueue(write, this.#limits, () => this.#queues.delete(log));
      this.#queues.set(log, queue);
    }
    return queue.append(entries);
  }
}
