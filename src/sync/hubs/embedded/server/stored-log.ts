import path from 'node:path';
import { Journal } from '../../../../disk/journal/journal.ts';
import { syncPath } from '../../../../disk/root/durable.ts';
import { HoldfastError } from '../../../../runtime/holdfast-error.ts';
import { setImmediate } from '../../../../runtime/timers.ts';
import type { HubEntry, HubSnapshot, LogHead, NewEntry } from '../../../hub.ts';
import type { Removal } from '../operations.ts';
import { Blobs } from './blobs.ts';
import { isOutOfDescriptors } from './descriptors.ts';
import { LogMachine } from './log-machine.ts';
import { encodeEntries, encodeTrim, ENTRIES, TRIM } from './log-records.ts';
import type { LogPlaces } from './place.ts';
import { Snapshots } from './snapshots.ts';
import type { Uploads } from './uploads.ts';

/** Entries of calls that came in one turn are one record, and one sync, up to this size in bytes. */
const GROUP_BYTES = 2 ** 23;

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
  /** The log was used, and takes this much memory now, in bytes. */
  used(log: StoredLog): void;
  /** Its head has moved. */
  moved(log: StoredLog): void;
  /** Gives back the descriptors of the other logs. */
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
 * - What was acknowledged, and what any client has read, is synced to the disk.
 * - Only a sync that has failed ends its use; whatever else fails is tried again at the next one.
 * - While it is loaded all its entries are in memory; otherwise none is, and its next use reads its journal.
 * - Reading a log does not make it; asking for its head, appending and putting do.
 */
export class StoredLog {
  readonly name: string;
  readonly snapshots: Snapshots;
  readonly blobs: Blobs;
  readonly #keeper: LogKeeper;
  readonly #path: string;
  #loaded: Loaded | null = null;
  /** Where its head was when it was last looked at; undefined before the first time. */
  #position: number | undefined;
  /** A sync has failed: nobody knows what the disk holds of what the kernel shows, so nothing is shown any more. */
  #failure: HoldfastError | null = null;
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
      if (this.#failure !== null || !isOutOfDescriptors(error)) throw error;
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
    if (this.#failure !== null) throw this.#failure;
    const loaded = this.#loaded ?? this.#load();
    if (loaded === null) return null;
    // Were two servers ever at work, each would still see what the other has appended.
    if (!loaded.journal.catchUp()) {
      this.#loaded = null;
      this.#settled = false;
    }
    this.#keeper.used(this);
    return this.#loaded;
  }

  #load(): Loaded | null {
    const machine = new LogMachine();
    // Only trimming makes dead bytes, so only trimming compacts.
    const journal = new Journal(path.join(this.#path, 'journal'), machine, { durability: 'strict', compactAt: Number.MAX_SAFE_INTEGER });
    if (!journal.open()) return null;
    if (machine.name !== this.name) throw new HoldfastError('journal-damaged', `The log in ${this.#path} is that of another name.`);
    if (!this.#settled) syncPath(journal.file);
    this.#settled = true;
    this.blobs.begin(machine.position);
    return (this.#loaded = { journal, machine });
  }

  /** Gives its memory and its descriptor back until the next use. */
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
      if (this.#calls.push({ entries, blobs, resolve, reject }) === 1) setImmediate(() => this.#appendAll());
    });
  }

  #appendAll(): void {
    const calls = this.#calls;
    this.#calls = [];
    while (calls.length > 0) this.#appendGroup(calls.splice(0, groupLength(calls)));
    this.#keeper.moved(this);
  }

  #appendGroup(group: readonly Call[]): void {
    const calls = group.filter((call) => this.#hasBlobsOf(call));
    try {
      const position = this.#persistently(() => this.#write(calls.flatMap(({ entries }) => entries)));
      for (const { blobs } of calls) this.blobs.name(blobs, position);
      this.#position = position;
      this.#keeper.used(this);
      for (const { resolve } of calls) resolve(position);
    } catch (error) {
      for (const { reject } of calls) reject(error);
    }
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

  #write(entries: readonly NewEntry[]): number {
    const machine = this.make();
    const fresh = entries.filter(({ id }) => !machine.has(id));
    if (fresh.length > 0) this.#requireRoom(machine);
    if (fresh.length > 0) this.#record(ENTRIES, encodeEntries(fresh));
    return machine.position;
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
      if (isOutOfDescriptors(error)) this.#begin();
      else if (error instanceof HoldfastError && error.code === 'disk-failed') this.#failure = error;
      throw error;
    }
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
    this.#record(TRIM, encodeTrim(last + 1));
    this.#keeper.used(this);
    this.#compactIfWorthwhile();
  }

  #compactIfWorthwhile(): void {
    if (this.#loaded === null) return;
    const { journal, machine } = this.#loaded;
    if (journal.size < 2 * machine.size + DEAD_BYTES) return;
    try {
      journal.compact();
    } catch {
      // The entries are trimmed; that the file could not be made shorter is for the next trim.
    }
  }
}

/** How many of the first calls make one record. */
function groupLength(calls: readonly Call[]): number {
  let bytes = 0;
  for (const [index, { entries }] of calls.entries()) {
    for (const entry of entries) bytes += entry.bytes.length;
    if (bytes > GROUP_BYTES) return Math.max(index, 1);
  }
  return calls.length;
}
