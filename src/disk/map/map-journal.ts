import path from 'node:path';
import { onShortage } from '../../runtime/descriptors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { randomInteger } from '../../runtime/random.ts';
import { Journal, type JournalOptions } from '../journal/journal.ts';
import { lockfileSection, type Shared } from '../journal/lockfile.ts';
import { OpenJournals, type Suspendable } from '../journal/open-journals.ts';
import type { BucketPlace } from '../place.ts';
import type { OperationId } from '../replica/operation.ts';
import type { ReplicaJournal } from '../replica/replica-journal.ts';
import { ACKNOWLEDGE, REPLICATE } from '../replica/replica-kinds.ts';
import { DirectoryWatch } from '../journal/directory-watch.ts';
import { following } from './following.ts';
import type { MapChange, MapListener, SetOutcome } from './map-area.ts';
import { MapClient } from './map-client.ts';
import { differences } from './map-differences.ts';
import { MapMachine } from './map-machine.ts';
import { BARRIER, BATCH, CLEAR, COMPARE, LIMIT, RecordWriter, REMOVE, SET } from './map-records.ts';
import type { Comparison } from './map-records.ts';
import type { MapState } from './map-state.ts';
import { News } from './news.ts';

export interface MapJournalOptions extends Omit<JournalOptions, 'retain' | 'exclusively' | 'space' | 'vital' | 'encryption'> {
  /** For disks on which appends are not atomic, and which tell nothing of what other machines do. */
  readonly shared?: Shared | undefined;
  /** The url of most clients, which costs nothing to record. Every process must give the same for the same map. */
  readonly url: string;
  /**
   * Bytes of UTF-16, keys and values together. If given, it is made everybody's quota before the first write of this
   * realm; else the quota is what was last made so, or 10 MiB.
   */
  readonly quota?: number;
  /**
   * If given, the map follows a hub from this realm's first write on, if it did not already; the payload of the
   * REPLICATE record that says so.
   */
  readonly replicate?: () => Uint8Array;
  /** For {@link suspendMapsOf}. */
  readonly owner?: object;
}

/** Bytes. Compaction syncs; a writer that writes all the time should not feel it, nor a cold start the longer journal. */
const COMPACT_AT = 2 ** 21;

/** Sealed generations kept, so that a client that is slow still gets every change. */
export const RETAINED_GENERATIONS = 2;

/** Journals of maps open at once in this realm; more would eat up the descriptors of a host of thousands of origins. */
const openJournals = new OpenJournals<MapJournal>(64);
onShortage(() => openJournals.suspendWhere(() => true));

/** Closes the descriptors of an owner's maps, those too that nobody holds any more. */
export function suspendMapsOf(owner: object): void {
  openJournals.suspendWhere((map) => map.owner === owner);
}

/** One for all maps: thousands of them may be open. */
const records = new RecordWriter();

/** One writer: what its records bear. */
export interface MapWriter {
  /** As of the last `nextSequence`. */
  readonly session: number;
  readonly url: string;
  /** The last that `nextSequence` gave. */
  readonly sequence: number;
  nextSequence(): number;
}

/** A write that the hub's order decides, and under which name it is found there; or too many wait for the hub. */
export type Submission = { readonly accepted: true; readonly id: OperationId } | Extract<SetOutcome, { accepted: false }>;

const EMPTY = new Uint8Array(0);

interface Subscriber {
  readonly client: MapWriter;
  readonly listener: MapListener;
}

/**
 * The map of one bucket, shared by all clients of this realm. It keeps these invariants:
 *
 * - A read sees every write that had returned, in any process, before the read began.
 * - A bucket that does not exist reads as empty, and only a write creates it.
 * - While anybody subscribes or watches, the directory is watched; otherwise nothing is.
 * - The journal is one of those that the bound on descriptors may suspend: between two looks it needs none.
 */
export class MapJournal implements Suspendable {
  used = false;
  readonly busy = false;
  /** Whose map it is. */
  readonly owner: object | undefined;
  readonly #place: BucketPlace;
  readonly #machine: MapMachine;
  readonly #journal: Journal<SetOutcome>;
  readonly #url: string;
  readonly #subscribers = new Set<Subscriber>();
  readonly #quota: number | undefined;
  readonly #replicate: (() => Uint8Array) | undefined;
  readonly #strict: boolean;
  readonly #shared: Shared | undefined;
  /** Whether the bucket is there, and as durable as this realm wants it. */
  #placed = false;
  /** Whether the quota, too, is as this realm wants it before it writes. */
  #prepared = false;
  #watch: DirectoryWatch | null = null;
  /** Null: nobody watches. */
  #news: News | null = null;
  /** Whether the journal is open, and counted as such. */
  #open = false;
  /** What listeners knew of a map that was replaced, until they are told. */
  #forgotten: ReadonlyMap<string, string> | null = null;
  #closed = false;

  /** Does no I/O. */
  constructor(place: BucketPlace, options: MapJournalOptions) {
    this.#place = place;
    this.owner = options.owner;
    this.#machine = new MapMachine(options.url);
    const directory = path.join(place.path, 'local-storage');
    this.#journal = new Journal(directory, this.#machine, {
      compactAt: COMPACT_AT,
      ...options,
      ...lockfileSection(directory, options.shared),
      retain: RETAINED_GENERATIONS,
      space: place.space,
      encryption: place.encryption?.journal('local-storage'),
      vital: removes,
      onReplaced: () => this.#forget(),
    });
    this.#shared = options.shared;
    this.#url = options.url;
    this.#quota = options.quota === undefined ? undefined : quotaInBytes(options.quota);
    this.#replicate = options.replicate;
    this.#strict = options.durability === 'strict';
  }

  /**
   * The map as one client has it.
   *
   * @param session - a random integer in [1, 2^53), the client's own.
   * @param url - what `storage` events give as the url of the client's writes.
   */
  client(session: number, url: string): MapClient {
    return new MapClient(this, session, url);
  }

  /** What the map holds, by now, in all processes. */
  current(): MapState {
    this.used = true;
    if (this.#open) this.#journal.catchUp();
    else this.#reopen();
    if (this.#forgotten !== null) this.#tellDifferences(this.#forgotten);
    return this.#machine.state;
  }

  /** What the map held when it was last read, for a writer that may add to it: the first makes the bucket. */
  knownForSet(writer: MapWriter): MapState {
    // Where it is not shared by lock files, this looks now and then whether the journal is still the same.
    if (this.#open && this.#shared === undefined) this.#journal.open();
    if (!this.#open || !this.#prepared) this.#prepare(writer);
    this.used = true;
    return this.#machine.state;
  }

  /** The journal was removed or replaced: what was done to it has to be done again. */
  #forget(): void {
    this.#open = this.#placed = this.#prepared = false;
    if (this.#machine.listener !== null) this.#forgotten ??= new Map(this.#machine.state.entries());
    this.#machine.listener = null;
    this.#place.lost?.();
  }

  /** Listeners hear of each key once, however many records made it what it is now. */
  #tellDifferences(before: ReadonlyMap<string, string>): void {
    this.#forgotten = null;
    if (this.#subscribers.size === 0) return;
    this.#machine.listener = this.#publish;
    differences(before, this.#machine.state, this.#url, this.#publish);
  }

  #reopen(): void {
    this.#place.requirePlain?.();
    if (!this.#journal.open()) return;
    this.#journal.catchUp();
    this.#open = true;
    openJournals.add(this);
  }

  #prepare(writer: MapWriter): void {
    this.#makePlace();
    if (this.#prepared) return;
    if (this.#replicate !== undefined && this.#machine.replica === null) this.#append(REPLICATE, writer, this.#replicate());
    this.#prepared = this.#announceQuota(writer);
  }

  #makePlace(): void {
    this.current();
    // Whoever made the bucket may not have waited until the disk had its name.
    if (!this.#open || this.#strict) this.#place.ensure();
    if (!this.#open) this.#reopen();
    this.#placed = true;
  }

  /** False: it has to be tried again. */
  #announceQuota(writer: MapWriter): boolean {
    const quota = this.#quota;
    if (quota === undefined || quota === this.#machine.state.quota) return true;
    return this.#write(LIMIT, writer, records.number(quota)).accepted;
  }

  /** Appends a SET record. */
  set(writer: MapWriter, key: string, value: string): SetOutcome {
    return this.#write(SET, writer, records.set(this.#url, writer.url, key, value));
  }

  /** Appends a REMOVE record. */
  remove(writer: MapWriter, key: string): SetOutcome {
    return this.#write(REMOVE, writer, records.remove(this.#url, writer.url, key));
  }

  /** Appends a CLEAR record. */
  clear(writer: MapWriter): SetOutcome {
    return this.#write(CLEAR, writer, records.clear(this.#url, writer.url));
  }

  /** Appends a BATCH record, whose payload `encode` gives for the map's own url. */
  batch(writer: MapWriter, encode: (ownUrl: string) => Uint8Array): SetOutcome {
    this.knownForSet(writer);
    return this.#write(BATCH, writer, encode(this.#url));
  }

  /**
   * Sets or removes a value if, at this operation's place in the hub's order, the present one is the expected one. Until that is known the value shows if the expected one is what shows. It is known when
   * `id` is pending no more in `replicaJournal().current()`: then it was accepted, or is in the rejections (`expected`,
   * `quota`).
   *
   * @throws HoldfastError `bad-option` while the map follows no hub
   */
  compareAndSet(writer: MapWriter, comparison: Comparison): Submission {
    return this.#submit(COMPARE, writer, () => records.compare(this.#url, writer.url, comparison));
  }

  /**
   * Does nothing, at a place in the hub's order. When its `id` is pending no more, a read sees every write, in any
   * region, that was confirmed before this call.
   *
   * @throws HoldfastError `bad-option` while the map follows no hub
   */
  barrier(writer: MapWriter): Submission {
    return this.#submit(BARRIER, writer, () => EMPTY);
  }

  #submit(kind: number, writer: MapWriter, payload: () => Uint8Array): Submission {
    this.current();
    if (this.#machine.replica === null && this.#replicate === undefined) {
      throw new HoldfastError('bad-option', `The map of ${this.#url} follows no hub.`);
    }
    if (!this.#open || !this.#prepared) this.#prepare(writer);
    const outcome = this.#write(kind, writer, payload());
    return outcome.accepted ? { accepted: true, id: { session: writer.session, sequence: writer.sequence } } : outcome;
  }

  /** What too many pending writes would make the machine reject is not even written. */
  #write(kind: number, writer: MapWriter, payload: Uint8Array): SetOutcome {
    if (this.#machine.replica !== null && !this.#machine.welcome(payload).accepted) {
      this.current();
      const outcome = this.#machine.welcome(payload);
      if (!outcome.accepted) return outcome;
    }
    return this.#append(kind, writer, payload);
  }

  #append(kind: number, writer: MapWriter, payload: Uint8Array): SetOutcome {
    const sequence = writer.nextSequence();
    const outcome = this.#journal.append(kind, writer.session, sequence, payload);
    this.#news?.announce();
    return outcome;
  }

  /** The journal as whoever talks to the hub needs it. Its records have a session of their own. */
  replicaJournal(): ReplicaJournal {
    const writer = this.client(randomInteger(), this.#url);
    const none = following.code.inactiveReplica();
    return {
      current: () => {
        this.current();
        return this.#machine.replica ?? none;
      },
      append: (kind, payload) => {
        if (this.#open && this.#shared === undefined) this.#journal.open();
        if (!this.#open || !this.#placed) this.#makePlace();
        this.used = true;
        this.#append(kind, writer, payload);
      },
      watch: (onNews) => this.#watchFor(onNews),
    };
  }

  #watchFor(onNews: () => void): () => void {
    const news = (this.#news ??= new News());
    // The same function may watch twice.
    const watcher = (): void => onNews();
    news.add(watcher);
    this.#startWatching();
    return () => {
      news.delete(watcher);
      if (news.isHeard || this.#news !== news) return;
      this.#news = null;
      this.#stopWatchingIfIdle();
    };
  }

  /** Tells `listener` of every change from now on that another than `client` makes. Never throws. */
  subscribe(client: MapWriter, listener: MapListener): () => void {
    // What happened before is no news to the new subscriber, and still is to the others.
    this.#look();
    const subscriber = { client, listener };
    this.#subscribers.add(subscriber);
    if (this.#forgotten === null) this.#machine.listener = this.#publish;
    this.#startWatching();
    return () => this.#unsubscribe(subscriber);
  }

  readonly #publish = (change: MapChange): void => {
    for (const { client, listener } of this.#subscribers) {
      if (client.session !== change.session) listener(change);
    }
  };

  #startWatching(): void {
    if (this.#watch !== null || this.#closed) return;
    this.#watch = new DirectoryWatch(this.#journal.directory, () => this.#heard(), {
      looksToo: this.#shared !== undefined,
      onReplaced: () => this.#journal.distrust(),
    });
    // Between the last look and the beginning of the watch something may have happened.
    this.#look();
  }

  #unsubscribe(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
    if (this.#subscribers.size > 0) return;
    this.#machine.listener = null;
    this.#stopWatchingIfIdle();
  }

  #heard(): void {
    this.#look();
    this.#news?.tell();
  }

  #stopWatchingIfIdle(): void {
    if (this.#subscribers.size === 0 && this.#news === null) this.#stopWatching();
  }

  #stopWatching(): void {
    this.#watch?.close();
    this.#watch = null;
  }

  /** Reads what is new on behalf of nobody: whatever fails, the next read or write of a client will tell it. */
  #look(): void {
    try {
      this.current();
    } catch {
      return;
    }
  }

  /** Whether it holds a descriptor. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Whether it watches its directory. */
  get isWatching(): boolean {
    return this.#watch !== null;
  }

  /** Closes the descriptor until the next use. */
  suspend(): void {
    this.#open = false;
    this.#journal.suspend();
  }

  /** For good: later reads and writes throw HoldfastError `closed`; nobody hears of changes any more. */
  close(): void {
    this.#closed = true;
    this.#stopWatching();
    this.#subscribers.clear();
    this.#news = null;
    this.#machine.listener = null;
    openJournals.delete(this);
    this.#open = false;
    this.#journal.close();
  }
}

/** Records that must find room on a full disk, for they make some. */
function removes(kind: number): boolean {
  return kind === REMOVE || kind === CLEAR || kind === ACKNOWLEDGE;
}

/** A quota as records can hold it: Infinity means no less than what nobody can reach. */
function quotaInBytes(quota: number): number {
  if (!(quota >= 0)) throw new RangeError(`A quota is a number of bytes that is not negative, not ${quota}.`);
  return Math.min(Math.floor(quota), Number.MAX_SAFE_INTEGER);
}
