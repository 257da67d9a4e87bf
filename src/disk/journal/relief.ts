import { isFull } from './disk-error.ts';
import { FRAME_OVERHEAD } from './frame.ts';
import type { JournalRecord, Machine } from './machine.ts';
import type { Replay } from './replay.ts';
import type { Space } from './space.ts';
import { sweep } from './succession.ts';

/*
 * Invariants
 * - What a full disk would take in part only is not tried: only a small record, or a race with others who write to the
 *   disk, leaves bytes of a record that was cut short. The next compaction, tried at once if they are many, frees them.
 * - A record that removes data or releases something gets room as long as anything can be given up: the reserve, sealed
 *   generations that are kept for slow readers, the journal's history.
 */

/** A write that was cut short and left this many bytes is made undone by a compaction, if the disk allows that. */
const TORN_BYTES = 2 ** 16;

/** Bytes that a compaction must be expected to free. */
const LEAST_GAIN = 2 ** 12;
/** For a record that finds its room anyway; and this part of the journal: otherwise each would begin a compaction. */
const WORTHWHILE_GAIN = 2 ** 14;
const WORTHWHILE_PART = 8;

/** What is needed of a journal. */
export interface Relievable {
  readonly replay: Replay<unknown>;
  readonly machine: Machine<unknown>;
  write(record: JournalRecord): void;
  /** Compacts, and deletes all sealed generations; whether it came to that. */
  compact(): boolean;
}

/** How a journal writes where the disk may be full. */
export class Relief {
  readonly #journal: Relievable;
  readonly #space: Space;
  /** The size of the journal after the last time: nothing more is gained before that has changed. */
  #last = -1;
  /** After a compaction that was not possible: the size from which on a record that needs none tries the next. */
  #patience = 0;
  /** What a snapshot takes for each byte of the weight, as the last one showed. */
  #ratio = 1;

  constructor(journal: Relievable, space: Space) {
    this.#journal = journal;
    this.#space = space;
  }

  /** Appends what adds data. A compaction must be possible afterwards, or else nothing that is removed gives room. */
  write(record: JournalRecord): void {
    if (!this.#hasRoom(record) && !(this.#gain > LEAST_GAIN && this.#relieve() && this.#hasRoom(record))) {
      throw this.#space.refusal();
    }
    try {
      this.#journal.write(record);
    } catch (error) {
      if (isFull(error) && this.#size - this.#journal.replay.position > TORN_BYTES) this.#relieve();
      throw error;
    }
  }

  #hasRoom({ payload }: JournalRecord): boolean {
    const size = this.#size;
    return this.#space.hasRoom(FRAME_OVERHEAD + payload.length, size + size / WORTHWHILE_PART);
  }

  /** In bytes, of the current generation. */
  get #size(): number {
    return this.#journal.replay.size;
  }

  get #weight(): number {
    return this.#journal.machine.weight ?? 0;
  }

  /** About how many bytes a compaction would free. */
  get #gain(): number {
    return this.#size - this.#weight * this.#ratio;
  }

  /** Appends what removes data. */
  writeAnyway(record: JournalRecord): void {
    const isTight = !this.#hasRoom(record);
    try {
      this.#journal.write(record);
    } catch (error) {
      if (!isFull(error)) throw error;
      this.#writeWithReserve(record, error);
    }
    const size = this.#size;
    if (isTight && size >= this.#patience && this.#gain > Math.max(WORTHWHILE_GAIN, size / WORTHWHILE_PART)) this.#relieve();
  }

  #writeWithReserve(record: JournalRecord, failure: unknown): void {
    while (this.#space.giveUp() || this.#relieve()) {
      try {
        return this.#journal.write(record);
      } catch (error) {
        if (!isFull(error)) throw error;
      }
    }
    throw failure;
  }

  /** Makes room by giving up the journal's history; false if that gave nothing. Never throws. */
  #relieve(): boolean {
    if (this.#last === this.#size) return false;
    const { replay } = this.#journal;
    let relieved = false;
    try {
      sweep(replay.directory, replay.number, 0);
      relieved = this.#compact();
      this.#ratio = this.#size / Math.max(1, this.#weight);
    } catch {
      // The journal is as it was.
    }
    this.#last = this.#size;
    this.#patience = relieved ? 0 : this.#size + WORTHWHILE_GAIN;
    this.#space.replenish();
    return relieved;
  }

  #compact(): boolean {
    for (;;) {
      try {
        return this.#journal.compact();
      } catch (error) {
        if (!isFull(error) || !this.#space.giveUp()) throw error;
      }
    }
  }
}
