import { randomInteger } from '../../../../runtime/random.ts';
import { LogPlaces } from './place.ts';
import { type HubWriter, type LogKeeper, StoredLog } from './stored-log.ts';

/** Logs that are loaded at once: no more than this, and no more than so many bytes together, whichever is less. */
const LOADED_LOGS = 256;
const LOADED_BYTES = 2 ** 27;

/** Long before the sequences of a session could run out, another takes its place. */
const LAST_SEQUENCE = 2 ** 31;

/** All logs of one root. Those that were not used for the longest time give their memory back. */
export class HubStore implements LogKeeper {
  readonly places: LogPlaces;
  readonly writer: HubWriter = new Writer();
  readonly #logs = new Map<string, StoredLog>();
  /** What each loaded log takes, the one that was used last at the end. */
  readonly #loaded = new Map<StoredLog, number>();
  readonly #moved: (log: StoredLog) => void;
  #bytes = 0;

  /** @param moved hears of every log to which something may have been appended */
  constructor(root: string, moved: (log: StoredLog) => void) {
    this.places = new LogPlaces(root);
    this.#moved = moved;
  }

  log(name: string): StoredLog {
    let log = this.#logs.get(name);
    if (log === undefined) this.#logs.set(name, (log = new StoredLog(name, this)));
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

  #forget(log: StoredLog): void {
    this.#bytes -= this.#loaded.get(log) ?? 0;
    this.#loaded.delete(log);
  }

  /** Gives everything back. */
  close(): void {
    for (const log of this.#loaded.keys()) log.suspend();
    this.#loaded.clear();
    this.#bytes = 0;
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
