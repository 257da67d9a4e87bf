import type { ReplicaJournal } from '../../disk/replica/replica-journal.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { HubLog } from '../hub.ts';
import { SNAPSHOT_ANSWER_MS } from './bootstrap.ts';
import type { Collector, Known } from './collector.ts';
import { ANSWER_MS, NO_WITNESS, readOn } from './follower.ts';
import type { Place } from './follower.ts';
import type { Line } from './line.ts';
import { baseOf, seal } from './snapshot-seal.ts';
import type { Unpacked } from './unpacking.ts';

/** When a snapshot is due, and how much of the log stays. */
export interface SnapshotPolicy {
  /** Entries since the last snapshot. */
  readonly entries: number;
  /** Bytes of entries since then. */
  readonly bytes: number;
  /** Entries that stay before the snapshot, so that a replica that was away for a while reads on without it. */
  readonly margin: number;
}

export const SNAPSHOT_POLICY: SnapshotPolicy = { entries: 1000, bytes: 2 ** 22, margin: 1000 };

export interface PublisherOptions {
  readonly log: HubLog;
  readonly line: Line;
  readonly journal: ReplicaJournal;
  readonly policy: SnapshotPolicy;
  readonly collector: Collector;
  /** The hub does not take a snapshot, or collects no blobs. */
  onRefused(what: 'snapshot' | 'blobs', error: unknown): void;
}

/** (11) Gives the hub a snapshot now and then, and has it forget what the snapshot stands for, and the blobs of that. */
export class Publisher {
  readonly #options: PublisherOptions;
  /** Where the last snapshot that is known of is. */
  #last = 0;
  #bytes = 0;
  #isDue = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** What the hub's first entry tells of snapshots: somebody trimmed up to there. */
  noticeFirst(first: number): void {
    const position = first === 1 ? 0 : first - 1 + this.#options.policy.margin;
    if (position > this.#last) this.#startFrom(position);
  }

  #startFrom(position: number): void {
    this.#last = position;
    this.#bytes = 0;
    this.#isDue = false;
  }

  /** Only whoever wrote the entry that passes the mark makes the snapshot; the others need not. */
  applied({ position, bytes }: Pick<Unpacked, 'position' | 'bytes'>, own: boolean): void {
    const { policy } = this.#options;
    this.#bytes += bytes;
    if (own && (position - this.#last >= policy.entries || this.#bytes >= policy.bytes)) this.#isDue = true;
  }

  /** @throws HoldfastError hub-unreachable, closed; whatever else fails waits for the next mark, since all goes on without */
  async publishIfDue(): Promise<void> {
    if (!this.#isDue) return;
    this.#isDue = false;
    try {
      await this.#publish();
    } catch (error) {
      if (error instanceof HoldfastError && PASSING.has(error.code)) throw error;
      this.#startFrom(this.#options.journal.current().position);
      this.#options.onRefused('snapshot', error);
    }
  }

  async #publish(): Promise<void> {
    const { log, line, journal, policy } = this.#options;
    const { first } = await line.ask('for its head', ANSWER_MS, () => log.head());
    // Another region may have been faster, after an entry of its own.
    this.noticeFirst(first);
    const replica = journal.current();
    const { epoch, position, digest } = replica;
    if (position - this.#last < policy.entries && this.#bytes < policy.bytes) return;
    const bytes = seal(baseOf(replica, replica.epoch));
    const known = this.#options.collector.look();
    const isOurs = (): Promise<boolean> => this.#isOfLog({ epoch, position, digest });
    if (!(await isOurs())) return;
    await line.ask('to keep a snapshot', SNAPSHOT_ANSWER_MS, () => log.putSnapshot({ position, bytes }));
    this.#startFrom(position);
    // What it stands for is forgotten only in the history that it is of.
    if (!(await isOurs())) return;
    if (position > policy.margin) await line.ask('to trim', ANSWER_MS, () => log.trim(position - policy.margin));
    if (known !== null) await this.#collect(known);
  }

  /** Whether the log has the entry at that place still: it may have been restored since it was followed there. */
  async #isOfLog(place: Place): Promise<boolean> {
    const { log, line } = this.#options;
    return (await readOn(log, line, place, place.position, NO_WITNESS)).verdict === 'same';
  }

  /** The blobs that only the forgotten entries have named. */
  async #collect(known: Known): Promise<void> {
    try {
      await this.#options.collector.collect(known);
    } catch (error) {
      if (error instanceof HoldfastError && PASSING.has(error.code)) throw error;
      this.#options.onRefused('blobs', error);
    }
  }
}

/** What ends by itself, and with the connection. */
const PASSING: ReadonlySet<string> = new Set(['hub-unreachable', 'closed']);
