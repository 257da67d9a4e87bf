import type { Compaction } from '../disk/journal/journal.ts';
import * as channels from '../runtime/channels.ts';

type Channel = typeof channels.writes;

/** What a host has done in this realm since it was made; see {@link HostStats}. */
export class Counts {
  readonly localStorage = { reads: 0, writes: 0, bytesWritten: 0, refused: 0 };
  readonly files = { opened: 0, reads: 0, bytesRead: 0, writes: 0, bytesWritten: 0, refused: 0 };
  readonly locks = { granted: 0, refused: 0, withdrawn: 0, waiting: 0, held: 0 };
  readonly journals = { compactions: 0, checkpoints: 0 };
  warnings = 0;
}

/** How an item, or all of them, came to change. */
export type MapWrite = 'set' | 'remove' | 'clear';

/**
 * Counts for a host what one origin does, and tells the diagnostics channels, where somebody listens. What it tells
 * names keys, files and locks, and never holds what is stored.
 */
export class Meter {
  readonly counts: Counts;
  readonly #root: string;
  readonly #origin: string;

  constructor(counts: Counts, root: string, origin: string) {
    this.counts = counts;
    this.#root = root;
    this.#origin = origin;
  }

  /** `length` counts code units of key and value. */
  wrote(operation: MapWrite, key: string | null, length: number): void {
    const { localStorage } = this.counts;
    const bytes = 2 * length;
    localStorage.writes += 1;
    localStorage.bytesWritten += bytes;
    if (channels.writes.hasSubscribers) this.tell(channels.writes, { area: 'localStorage', operation, key, bytes });
  }

  /** To be given to whoever makes a journal of the origin. */
  get compacted(): (compaction: Compaction) => void {
    return (compaction) => {
      this.counts.journals.compactions += 1;
      if (channels.compactions.hasSubscribers) this.tell(channels.compactions, compaction);
    };
  }

  /** To be called only where the channel has subscribers: the message was made for them. */
  tell(channel: Channel, message: object): void {
    channel.publish({ root: this.#root, origin: this.#origin, ...message });
  }
}
