import path from 'node:path';
import { Journal } from '../../../../disk/journal/journal.ts';
import { syncPath } from '../../../../disk/root/durable.ts';
import { HoldfastError } from '../../../../runtime/holdfast-error.ts';
import type { HubEntry, LogHead, NewEntry } from '../../../hub.ts';
import { Blobs } from './blobs.ts';
import { LogMachine } from './log-machine.ts';
import { encodeEntries, encodeTrim, ENTRIES, TRIM } from './log-records.ts';
import type { LogPlaces } from './place.ts';
import { Snapshots } from './snapshots.ts';

/** Entries of calls that came in one turn are one record, and one sync, up to this size in bytes. */
const GROUP_BYTES = 2 ** 23;

/** Entries that one answer holds, in bytes, but for one that is larger by itself. */
const READ_BYTES = 2 ** 22;

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
  readonly writer: HubWriter;
  /** The log was used, and takes this much memory now, in bytes. */
  used(log: StoredLog): void;
  /** Its head has moved. */
  moved(log: StoredLog): void;
}

interface Call {
  readonly entries: readonly NewEntry[];
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
    this.snapshots = new Snapshots(this.#path, () => places.draft());
    this.blobs = new Blobs(this.#path, () => places.draft());
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
    return (this.#position ??= this.#find()?.machine.position ?? 0);
  }

  head(): LogHead {
    return this.make().head();
  }

  read(after: number, limit: number): HubEntry[] {
    return this.#find()?.machine.read(after, limit, READ_BYTES) ?? [];
  }

  /** Makes the log unless it is there. */
  make(): LogMachine {
    return (this.#find() ?? this.#create()).machine;
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
    return (this.#loaded = { journal, machine });
  }

  /** Gives its memory and its descriptor back until the next use. */
  suspend(): void {
    this.#loaded?.journal.close();
    this.#loaded = null;
  }

  /** Resolves to the head's position once the entries are on the disk. Calls of one turn are appended together. */
  append(entries: readonly NewEntry[]): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#calls.push({ entries, resolve, reject }) === 1) setImmediate(() => this.#appendAll());
    });
  }

  #appendAll(): void {
    const calls = this.#calls;
    this.#calls = [];
    while (calls.length > 0) this.#appendGroup(calls.splice(0, groupLength(calls)));
    this.#keeper.moved(this);
  }

  #appendGroup(calls: readonly Call[]): void {
    try {
      const machine = this.make();
      this.#write(machine, calls.flatMap(({ entries }) => entries));
      this.#position = machine.position;
      this.#keeper.used(this);
      for (const { resolve } of calls) resolve(machine.position);
    } catch (error) {
      for (const { reject } of calls) reject(error);
    }
  }

  #write(machine: LogMachine, entries: readonly NewEntry[]): void {
    const fresh = entries.filter(({ id }) => !machine.has(id));
    if (fresh.length > 0) this.#record(ENTRIES, encodeEntries(fresh));
  }

  #record(kind: number, payload: Uint8Array): void {
    const { writer } = this.#keeper;
    const sequence = writer.nextSequence();
    try {
      this.#loaded?.journal.append(kind, writer.session, sequence, payload);
    } catch (error) {
      if (error instanceof HoldfastError && error.code === 'disk-failed') this.#failure = error;
      throw error;
    }
  }

  trim(upTo: number): void {
    const machine = this.#find()?.machine;
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
