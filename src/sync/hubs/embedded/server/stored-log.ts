import path from 'node:path';
import { Journal } from '../../../../disk/journal/journal.ts';
import { syncPath } from '../../../../disk/root/durable.ts';
import { HoldfastError } from '../../../../runtime/holdfast-error.ts';
import type { HubEntry, HubSnapshot, LogHead, NewEntry } from '../../../hub.ts';
import type { Removal } from '../operations.ts';
import { Blobs } from './blobs.ts';
import type { CommitLog } from './commits/commit-log.ts';
import type { Committing, GroupCommit, Piece } from './commits/group-commit.ts';
import { isOutOfDescriptors } from './descriptors.ts';
import { LogMachine } from './log-machine.ts';
import { encodePlaced, encodeTrim, PLACED, TRIM } from './log-records.ts';
import type { LogPlaces } from './place.ts';
import { Snapshots } from './snapshots.ts';
import type { Uploads } from './uploads.ts';

/** Entries that one answer holds, in bytes, but for one that is larger by itself. */
const READ_BYTES = 2 ** 22;

/** Memory that the entries of one log may take, in bytes: far more than what replicas leave before they trim. */
const MOST_BYTES = 2 ** 30;

/** Dead bytes that a journal may have before it is compacted. */
const DEAD_BYTES = 2 ** 20;

/** Who writes the records of all logs of a server. */
export interface HubWriter {
  readonly session: number;
  nextSequence(): number;
}

/** What a log needs of its server. */
export interface LogKeeper {
  readonly places: LogPlaces;
  readonly uploads: Uploads;
  readonly writer: HubWriter;
  readonly commits: CommitLog;
  readonly group: GroupCommit;
  /** The log was used, and takes this much memory now, in bytes. */
  used(log: StoredLog): void;
  /** Its head has moved. */
  moved(log: StoredLog): void;
  /** Gives back what the other logs have open. */
  relieve(log: StoredLog): void;
}

interface Call {
  readonly entries: readonly NewEntry[];
  readonly blobs: readonly string[];
  readonly resolve: (position: number) => void;
  readonly reject: (reason: unknown) => void;
}

interface Loaded {
  readonly journal: Journal<void>;
  readonly machine: LogMachine;
}

/**
 * One log of the embedded hub. Invariants:
 * - What was acknowledged, and what any client has read, is synced to the disk: committed, and in time settled in its
 *   own journal too. What is in neither of both is in no memory.
 * - Whatever fails is tried again at the next use; after a sync that failed its own journal is written anew first.
 * - Its own journal is open only while it is read or written.
 * - While it is loaded all its entries are in memory; otherwise none is, and its next use reads its journal.
 * - Reading a log does not make it; asking for its head, appending and putting do.
 */
export class StoredLog implements Committing {
  readonly name: string;
  readonly snapshots: Snapshots;
  readonly blobs: Blobs;
  readonly #keeper: LogKeeper;
  readonly #path: string;
  #loaded: Loaded | null = null;
  /** Where its head was when it was last looked at; undefined before the first time. */
  #position: number | undefined;
  /** A sync has failed: nobody knows what the disk holds of its own journal. */
  #isDoubtful = false;
  #calls: Call[] = [];
  /** Whether this server has synced what an earlier one may have left unsynced. */
  #settled = false;

  /** Does no I/O. */
  constructor(name: string, keeper: LogKeeper) {
    const { places } = keeper;
    this.name = name;
    this.#keeper = keeper;
    this.#path = places.of(name);
    this.snapshots = new Snapshots(this.#path, places, () => this.position);
    this.blobs = new Blobs(name, this.#path, keeper);
  }

  /** Bytes of memory. */
  get size(): number {
    return this.#loaded?.machine.size ?? 0;
  }

  get isLoaded(): boolean {
    return this.#loaded !== null;
  }

  /** Where the head is, for whoever waits for news; 0 when there is no such log. */
  get position(): number {
    return (this.#position ??= this.#persistently(() => this.#find())?.machine.position ?? 0);
  }

  head(): LogHead {
    return this.make().head();
  }

  read(after: number, limit: number): HubEntry[] {
    return this.#persistently(() => this.#find())?.machine.read(after, limit, READ_BYTES) ?? [];
  }

  /** Makes the log unless it is there. */
  make(): LogMachine {
    return this.#persistently(() => this.#find() ?? this.#create()).machine;
  }

  /** Without descriptors there is no more than to give back those that are idle, and to begin anew. */
  #persistently<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!isOutOfDescriptors(error)) throw error;
      this.#begin();
      this.#keeper.relieve(this);
      return work();
    }
  }

  /** What its journal holds is to be read, and synced, again. */
  #begin(): void {
    this.suspend();
    this.#settled = false;
  }

  #create(): Loaded {
    this.#keeper.places.create(this.name);
    const loaded = this.#find();
    if (loaded === null) throw new HoldfastError('disk-failed', `The log in ${this.#path} vanished when it was made.`);
    return loaded;
  }

  #find(): Loaded | null {
    // Were two servers ever at work, the one that was replaced would show nothing.
    this.#keeper.commits.check();
    const loaded = this.#loaded ?? this.#load();
    if (loaded === null) return null;
    this.#catchUp(loaded.machine);
    this.#keeper.used(this);
    return this.#loaded;
  }

  /** Takes what was committed and is not in its own journal yet. */
  #catchUp(machine: LogMachine): void {
    const tail = this.#keeper.commits.tail(this.name);
    // What does not fit was committed to a log that was restored since, or to another one of this name.
    if (tail !== undefined && tail.epoch === machine.head().epoch) machine.place(tail);
  }

  #load(): Loaded | null {
    const machine = new LogMachine();
    // Only trimming makes dead bytes, so only trimming compacts.
    const journal = new Journal(path.join(this.#path, 'journal'), machine, { durability: 'strict', compactAt: Number.MAX_SAFE_INTEGER });
    try {
      if (!journal.open() || !journal.catchUp()) return null;
      if (machine.name !== this.name) throw new HoldfastError('journal-damaged', `The log in ${this.#path} is that of another name.`);
      if (this.#isDoubtful) journal.compact();
      else if (!this.#settled) syncPath(journal.file);
    } finally {
      journal.suspend();
    }
    this.#isDoubtful = false;
    this.#settled = true;
    this.#catchUp(machine);
    this.blobs.begin(machine.position);
    return (this.#loaded = { journal, machine });
  }

  /** Gives its memory back until the next use. */
  suspend(): void {
    this.#loaded?.journal.close();
    this.#loaded = null;
  }

  /**
   * Resolves to the head's position once the entries are on the disk. Calls of one turn are appended together.
   *
   * @param blobs - names of blobs that have to be here
   * @throws HoldfastError `hub-blob-missing`, `disk-full`, `disk-failed`
   */
  append(entries: readonly NewEntry[], blobs: readonly string[] = []): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#calls.push({ entries, blobs, resolve, reject });
      this.#keeper.group.request(this);
    });
  }

  take(room: number): Piece | null {
    while (this.#calls.length > 0) {
      const group = this.#calls.splice(0, groupLength(this.#calls, room));
      try {
        return this.#piece(group.filter((call) => this.#hasBlobsOf(call)));
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    return null;
  }

  #piece(calls: readonly Call[]): Piece {
    const machine = this.make();
    const entries = fresh(machine, calls);
    if (entries.length > 0) this.#requireRoom(machine);
    const { epoch, position } = machine.head();
    return {
      stretch: entries.length === 0 ? null : { name: this.name, epoch, first: position + 1, entries },
      bytes: entries.reduce((sum, { bytes }) => sum + bytes.length, 0),
      landed: () => this.#landed(calls),
      failed: (error) => calls.forEach(({ reject }) => reject(error)),
    };
  }

  #landed(calls: readonly Call[]): void {
    try {
      const { position } = this.make();
      for (const { blobs } of calls) this.blobs.name(blobs, position);
      this.#position = position;
      for (const { resolve } of calls) resolve(position);
    } catch (error) {
      for (const { reject } of calls) reject(error);
    }
  }

  settled(): void {
    this.#keeper.moved(this);
  }

  /** Rejects a call that names a blob which is not here. */
  #hasBlobsOf({ blobs, reject }: Call): boolean {
    try {
      const missing = blobs.find((name) => !this.blobs.has(name));
      if (missing === undefined) return true;
      reject(new HoldfastError('hub-blob-missing', `The entries name the blob ${missing}, which the hub does not have.`));
    } catch (error) {
      reject(error);
    }
    return false;
  }

  #requireRoom({ size }: LogMachine): void {
    if (size < MOST_BYTES) return;
    throw new HoldfastError('disk-full', `The log holds ${size} bytes of entries, which is the most; a snapshot and a trim make room.`);
  }

  #record(kind: number, payload: Uint8Array): void {
    const { writer } = this.#keeper;
    const sequence = writer.nextSequence();
    try {
      this.#loaded?.journal.append(kind, writer.session, sequence, payload);
    } catch (error) {
      this.#isDoubtful ||= error instanceof HoldfastError && error.code === 'disk-failed';
      this.#begin();
      throw error;
    } finally {
      this.#loaded?.journal.suspend();
    }
  }

  /** Writes into its own journal what was committed and is not there yet. */
  settle(): void {
    this.#persistently(() => this.#settle());
  }

  #settle(): void {
    const machine = this.#find()?.machine;
    const { commits } = this.#keeper;
    const tail = commits.tail(this.name);
    if (tail === undefined) return;
    const fits = machine !== undefined && tail.epoch === machine.head().epoch && tail.first <= machine.position + 1;
    if (fits) this.#record(PLACED, encodePlaced(tail));
    commits.settle(this.name, Number.MAX_SAFE_INTEGER);
  }

  /**
   * Keeps a snapshot.
   *
   * @throws HoldfastError `hub-damaged` for one beyond the head
   */
  async putSnapshot(snapshot: HubSnapshot): Promise<void> {
    const { position } = this.make();
    if (snapshot.position > position) {
      throw new HoldfastError('hub-damaged', `There can be no snapshot at position ${snapshot.position}: the log ends at ${position}.`);
    }
    await this.snapshots.put(snapshot);
  }

  /** As of `Blobs.remove`; none unless this log is as far as whoever asks knows it. */
  async removeBlobs({ epoch, first, position, unusedFor, names }: Removal): Promise<number> {
    // Only a log that is loaded knows where its head is.
    const head = this.make().head();
    const isAsFar = epoch === head.epoch && first <= head.first && position <= head.position;
    if (!isAsFar || (first > 1 && position > (this.snapshots.position ?? 0))) return 0;
    return await this.blobs.remove(names, position, unusedFor);
  }

  trim(upTo: number): void {
    const machine = this.#persistently(() => this.#find())?.machine;
    if (machine === undefined) return;
    const last = Math.min(upTo, this.snapshots.position ?? 0, machine.position);
    if (last < machine.head().first) return;
    this.settle();
    this.#record(TRIM, encodeTrim(last + 1));
    this.#keeper.used(this);
    this.#compactIfWorthwhile();
  }

  #compactIfWorthwhile(): void {
    if (this.#loaded === null) return;
    const { journal, machine } = this.#loaded;
    // Of a log that was emptied nothing is to stay: it may have been plain, and be encrypted elsewhere now.
    const isEmptied = machine.head().first > machine.position;
    if (!isEmptied && journal.size < 2 * machine.size + DEAD_BYTES) return;
    try {
      journal.compact();
    } catch {
      // The entries are trimmed; that the file could not be made shorter is for the next trim.
    } finally {
      journal.suspend();
    }
  }
}

/** The entries of calls that the log has not, each once. */
function fresh(machine: LogMachine, calls: readonly Call[]): NewEntry[] {
  const ids = new Set<string>();
  const isFresh = ({ id }: NewEntry): boolean => !machine.has(id) && ids.size < ids.add(id).size;
  return calls.flatMap(({ entries }) => entries.filter(isFresh));
}

/** How many of the first calls go into so much room. */
function groupLength(calls: readonly Call[], room: number): number {
  let bytes = 0;
  for (const [index, { entries }] of calls.entries()) {
    for (const entry of entries) bytes += entry.bytes.length;
    if (bytes > room) return Math.max(index, 1);
  }
  return calls.length;
}
