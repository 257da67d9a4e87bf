import path from 'node:path';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { randomInteger } from '../../runtime/random.ts';
import { type Timer, clearInterval, setInterval } from '../../runtime/timers.ts';
import { Journal, type JournalOptions } from '../journal/journal.ts';
import { lockfileSection, type Shared } from '../journal/lockfile.ts';
import { DirectoryWatch } from '../journal/directory-watch.ts';
import type { BucketPlace } from '../place.ts';
import { addJournal } from '../root/late-part.ts';
import { type ChannelListener, ChannelMachine, type MachineListener } from './channel-machine.ts';
import { COUNT, encodeCount, encodeMessage, type MessageParts, MESSAGE, POST } from './channel-records.ts';
import type { Span } from './span.ts';

export interface ChannelJournalOptions extends Pick<JournalOptions, 'onCompaction'> {
  readonly shared?: Shared | undefined;
  /** Messages are for other roots, too: they wait for their place in a hub's order while somebody follows it. */
  readonly spans?: boolean | undefined;
}

/** A bucket's channels as whoever follows a hub for them has them. */
export interface SpanJournal {
  /** What waits, and for what, with all that is in the journal by now; null while nobody has used a channel yet. */
  current(): Span | null;
  /** Calls back soon after something was appended, or the first channel used. @returns what ends that */
  watch(onNews: () => void): () => void;
  /** @throws as `post` */
  append(kind: number, payload: Uint8Array): void;
}

/** Who posts: a random integer in [1, 2^53), and how many messages it has posted. */
export interface ChannelSender {
  readonly session: number;
  sequence: number;
}

const NAME = 'channels';

/** Bytes from which on messages are dropped whoever has not heard them. */
const COMPACT_AT = 2 ** 20;
/**
 * How long after the last one its messages are dropped, in milliseconds; in so many parts, each of which ends in a turn of
 * its own: whoever else lives in this realm has heard them by then, for however long it stood still.
 */
const KEPT_MS = 2000;
const PARTS = 2;

/**
 * The messages of a bucket's channels, on their way: a journal that is made by the first one posted. Invariants:
 * - whoever has subscribed hears every message from then on, once, in journal order, or is told that some were missed;
 * - while nobody posts, no message stays on the disk: the last realm that posted takes them off, at the latest its next
 *   message, or that of another.
 * Messages promise nothing of a machine that loses power, so nothing is ever synced.
 */
export class ChannelJournal {
  readonly #place: BucketPlace;
  readonly #machine = new ChannelMachine();
  readonly #journal: Journal<void>;
  readonly #shared: Shared | undefined;
  readonly #listeners = new Set<ChannelListener>();
  /** Those who were there while the root followed its hub. */
  readonly #following = new Set<ChannelListener>();
  readonly #watchers = new Set<() => void>();
  readonly #spans: boolean;
  /** What this realm appends to the journal beside messages. */
  readonly #own: ChannelSender = { session: randomInteger(), sequence: 0 };
  #watch: DirectoryWatch | null = null;
  #timer: Timer | null = null;
  #parts = 0;
  #closed = false;

  /** Does no I/O. */
  constructor(place: BucketPlace, options: ChannelJournalOptions = {}) {
    this.#place = place;
    this.#shared = options.shared;
    this.#spans = options.spans ?? false;
    const directory = path.join(place.path, NAME);
    this.#journal = new Journal(directory, this.#machine, {
      compactAt: COMPACT_AT,
      ...lockfileSection(directory, options.shared),
      ...(options.onCompaction && { onCompaction: options.onCompaction }),
      space: place.space,
      encryption: place.encryption?.journal(NAME),
      onReplaced: () => place.lost?.(),
    });
  }

  /**
   * Posts a message: every subscriber hears it, in every process, this realm's before this returns unless it is to wait
   * for a hub.
   *
   * @throws HoldfastError `disk-full`, `root-read-only`, `disk-failed`, `record-too-large`, `closed`
   */
  post(sender: ChannelSender, message: MessageParts): void {
    this.#append(this.#spans ? POST : MESSAGE, sender, encodeMessage(message));
  }

  #append(kind: number, sender: ChannelSender, payload: Uint8Array): void {
    if (!this.#journal.open()) this.#make();
    sender.sequence += 1;
    this.#journal.append(kind, sender.session, sender.sequence, payload);
    this.#arm();
    this.#tellWatchers();
  }

  /** Tells `listener` of every message from now on. @returns what ends that */
  subscribe(listener: ChannelListener): () => void {
    // What was posted before is no news to the new one, and still is to the others.
    this.#look();
    if (this.#spans) this.#announce();
    this.#listeners.add(listener);
    if (this.#machine.span.link !== 0) this.#following.add(listener);
    this.#machine.listener = this.#all;
    this.#watch ??= this.#startWatch();
    return () => this.#unsubscribe(listener);
  }

  /** Whoever follows the hub for the root does so for channels once there is a journal of them. */
  #announce(): void {
    try {
      if (!this.#closed && !this.#journal.open()) this.#make();
    } catch {
      // The disk refuses: what is posted elsewhere comes once somebody has posted here.
    }
  }

  /** For whoever follows a hub. */
  get span(): SpanJournal {
    return {
      current: () => (!this.#closed && this.#journal.catchUp() ? this.#machine.span : null),
      watch: (onNews) => this.#watchFor(onNews),
      append: (kind, payload) => this.#append(kind, this.#own, payload),
    };
  }

  #watchFor(onNews: () => void): () => void {
    this.#watchers.add(onNews);
    this.#watch ??= this.#startWatch();
    return () => {
      this.#watchers.delete(onNews);
      this.#rest();
    };
  }

  #tellWatchers(): void {
    for (const tell of this.#watchers) tell();
  }

  readonly #all: MachineListener = {
    message: (message) => this.#listeners.forEach((listener) => listener.message(message)),
    missed: () => this.#listeners.forEach((listener) => listener.missed()),
    cutOff: () => this.#following.forEach((listener) => listener.missed()),
    follows: () => this.#listeners.forEach((listener) => this.#following.add(listener)),
  };

  #startWatch(): DirectoryWatch {
    const looksToo = this.#shared !== undefined;
    const watch = new DirectoryWatch(this.#journal.directory, () => this.#look(), { looksToo, onReplaced: () => this.#journal.distrust() });
    // Something may have been posted before it was watched.
    this.#look();
    return watch;
  }

  #unsubscribe(listener: ChannelListener): void {
    this.#listeners.delete(listener);
    this.#following.delete(listener);
    if (this.#listeners.size === 0) this.#machine.listener = null;
    this.#rest();
  }

  #rest(): void {
    if (this.#listeners.size + this.#watchers.size > 0) return;
    this.#watch?.close();
    this.#watch = null;
    if (this.#timer === null) this.#journal.suspend();
  }

  /** On behalf of nobody: what fails now, whoever posts next is told. */
  #look(): void {
    try {
      if (!this.#closed) this.#journal.catchUp();
    } catch {
      return;
    }
    this.#tellWatchers();
  }

  #make(): void {
    addJournal(this.#place, { name: NAME, isStrict: false, snapshot: () => [{ kind: COUNT, payload: encodeCount(0) }] });
    if (!this.#journal.open()) throw new HoldfastError('disk-failed', `The channels in ${this.#place.path} were removed while they were made.`);
    this.#journal.catchUp();
  }

  /** A program that ends before leaves its last messages to the next one that posts. */
  #arm(): void {
    this.#parts = PARTS;
    this.#timer = this.#timer?.refresh() ?? setInterval(() => (this.#parts -= 1) > 0 || this.#drop(), KEPT_MS / PARTS).unref();
  }

  #drop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    try {
      this.#journal.catchUp();
      if (this.#machine.recent > 0) this.#journal.compact();
    } catch {
      // They stay until somebody posts again.
    }
    if (this.#watch === null) this.#journal.suspend();
  }

  /** For good. */
  close(): void {
    if (this.#closed) return;
    if (this.#timer !== null) this.#drop();
    this.#closed = true;
    this.#watch?.close();
    this.#listeners.clear();
    this.#following.clear();
    this.#watchers.clear();
    this.#machine.listener = null;
    this.#journal.close();
  }
}
