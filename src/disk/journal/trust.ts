import fs from 'node:fs';
import { type Timer, setTimeout, uptime } from '../../runtime/timers.ts';
import { generationPath, type GenerationFile } from './generation-file.ts';

/*
 * A journal may be removed, moved away or replaced by its owner while it is open here: then what this realm writes
 * would be seen by nobody. So an open generation is trusted for a while only, and looked at again by the first use
 * after that. Invariants:
 * - between two looks there are never more than TRUST_MS and one turn of the event loop, or OPERATIONS uses where the
 *   loop is kept from turning for longer;
 * - a use that has not to look pays a comparison, and nothing runs while the journal is not used.
 */

/** Milliseconds for which a look counts. */
const TRUST_MS = 250;

/** Uses after which the clock is asked, for timers do not fire amid a turn. */
const OPERATIONS = 64;

/** Grows TRUST_MS after a look; one for the realm. */
let round = 0;
let timer: Timer | null = null;

function endRoundSoon(): void {
  timer ??= setTimeout(() => {
    timer = null;
    round += 1;
  }, TRUST_MS).unref();
}

export class Trust {
  #round = -1;
  #left = 0;
  #since = 0;

  /** To be asked at each use. */
  get isOver(): boolean {
    if (this.#round !== round) return true;
    this.#left -= 1;
    return this.#left <= 0 && this.#hasAged();
  }

  #hasAged(): boolean {
    this.#left = OPERATIONS;
    return uptime() - this.#since >= TRUST_MS;
  }

  renew(): void {
    endRoundSoon();
    this.#round = round;
    this.#left = OPERATIONS;
    this.#since = uptime();
  }

  end(): void {
    this.#round = -1;
  }
}

/** Whether an open generation still has its name, or that of the candidate it was opened by. */
export function isInPlace(directory: string, file: GenerationFile): boolean {
  return isAt(file.path, file) || isAt(generationPath(directory, file.number), file);
}

function isAt(path: string, { dev, ino }: GenerationFile): boolean {
  try {
    const stats = fs.statSync(path, { throwIfNoEntry: false });
    return stats?.ino === ino && stats.dev === dev;
  } catch {
    // Who may not look is not to lose what works.
    return true;
  }
}
