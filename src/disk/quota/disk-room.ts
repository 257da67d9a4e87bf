import fs from 'node:fs';
import path from 'node:path';
import { isRefusedByRuntime } from '../../runtime/permission.ts';
import { uptime } from '../../runtime/timers.ts';

/** Of the disk, this part stays free, or these bytes where they are less: for others, and for what removals need. */
const RESERVED_PART = 20;
const RESERVED_BYTES = 2 ** 30;

/** How long what was seen of the disk is good for, in milliseconds, and for which part of what was free. */
const GOOD_MS = 1000;
const GOOD_PART = 16;

/** What a disk has left for those who may not fill it. */
export interface DiskRoom {
  /** Bytes; 0 when the reserve has been reached, Infinity where nobody may ask. */
  readonly bytes: number;
  /** Whether files can still be made: a disk can have no place for their names left. */
  readonly entries: boolean;
}

const UNKNOWN: DiskRoom = { bytes: Infinity, entries: true };

/** Of the disk that a directory is on, which need not exist yet. */
export function diskRoom(directory: string): DiskRoom {
  try {
    return roomOf(fs.statfsSync(directory));
  } catch (error) {
    const parent = path.dirname(directory);
    return parent === directory || isRefusedByRuntime(error) ? UNKNOWN : diskRoom(parent);
  }
}

function roomOf({ bsize, blocks, bavail, files, ffree }: fs.StatsFs): DiskRoom {
  const reserve = Math.min(Math.floor((blocks * bsize) / RESERVED_PART), RESERVED_BYTES);
  // A file system that makes places for names as they are needed says that it has none.
  return { bytes: Math.max(0, bavail * bsize - reserve), entries: files === 0 || ffree > files / RESERVED_PART / 4 };
}

/**
 * The same, asked of the system at a bounded rate: once a second at most, unless a sixteenth of what was left has been
 * used since, or there seems to be too little.
 */
export class RoomGauge {
  readonly #directory: string;
  #seen: DiskRoom = UNKNOWN;
  #seenAt = -Infinity;
  #used = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** What is left now for these bytes, which count as used from now on if they fit. */
  roomFor(bytes: number): DiskRoom {
    let room = this.room;
    if (bytes > room.bytes) room = this.#look();
    if (bytes <= room.bytes) this.#used += bytes;
    return room;
  }

  /** What is left, as far as this realm knows. */
  get room(): DiskRoom {
    const isGood = uptime() - this.#seenAt <= GOOD_MS && this.#used <= this.#seen.bytes / GOOD_PART;
    return isGood ? { bytes: this.#seen.bytes - this.#used, entries: this.#seen.entries } : this.#look();
  }

  #look(): DiskRoom {
    this.#seen = diskRoom(this.#directory);
    this.#seenAt = uptime();
    this.#used = 0;
    return this.#seen;
  }
}
