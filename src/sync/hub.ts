/**
 * Where the head of a log is. Positions count its entries from 1, without gaps.
 */
export interface LogHead {
  /** Random, made together with the log: a log of another epoch has another history. */
  readonly epoch: string;
  /** Of the last entry; 0 when there was never one. */
  readonly position: number;
  /** The lowest position that `read` still gives; `position + 1` when it gives none. */
  readonly first: number;
}

/** One entry at its place in the order. */
export interface HubEntry {
  readonly position: number;
  readonly bytes: Uint8Array;
}

/** An entry that has no place yet. */
export interface NewEntry {
  /** The same for every attempt to append the same entry, up to 64 characters of ASCII letters, digits, `-` and `.`. */
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** A state that stands for all entries up to a position. */
export interface HubSnapshot {
  readonly position: number;
  readonly bytes: Uint8Array;
}

/** What tells which blobs of a log may go. */
export interface BlobCollection {
  /** Of the log that the caller knows; nothing is removed from another one. */
  readonly epoch: string;
  /**
   * The caller knows every entry from `first` to `position`, and what they have made of the log up to `position`.
   * Nothing is removed from a log that is not as far, as a backup of it may be: one whose head is before `position`, or
   * that still gives entries before `first`, or, unless `first` is 1, whose kept snapshot is before `position`.
   */
  readonly first: number;
  readonly position: number;
  /** Whether any of that names a blob. */
  isNamed(name: string): boolean;
  /**
   * How long a blob must have lain unused, in milliseconds by the hub's clock: since it was put, found by `hasBlobs`
   * (within an hour) or named by an append the last time.
   */
  readonly unusedFor: number;
}

/** Ends what `subscribe` began. */
export type Unsubscribe = () => void;

/**
 * One log of a hub: the ordered writes of all regions to one thing, such as an origin's localStorage. Entries,
 * snapshots and blobs are opaque bytes to it.
 *
 * Every method rejects with a HoldfastError: `hub-unreachable` when the hub cannot be reached or its answer was lost
 * (an append may then have happened), `hub-unauthorized`, `hub-incompatible`, `closed`, and what it says itself.
 */
export interface HubLog {
  /** Asks the hub, never a cache: every append that anybody was told of before this call is counted. Makes the log. */
  head(): Promise<LogHead>;
  /**
   * Appends entries in the order given, all or none, each at the next position, for good: what it resolves for survives
   * as `capabilities.durability` says. An entry whose id the log has already, as far as the hub remembers ids
   * (`capabilities.dedupe`), is not appended again. Replicas decide about duplicates themselves, so a hub may forget.
   * Calls that overlap may be ordered either way.
   *
   * @param blobs - names of blobs that the entries name, and that are to be there when they are: no `collectBlobs` that
   * does not know of these entries removes one of them.
   * @returns the head's position, or a later one; a hint, for the truth is what `read` gives.
   * @throws HoldfastError `hub-too-large` when an entry is larger than `capabilities.maxEntryBytes`; `hub-blob-missing`
   * when the log has not all of the blobs, and then nothing was appended
   */
  append(entries: readonly NewEntry[], blobs?: readonly string[]): Promise<number>;
  /**
   * The entries after a position, in order, without a gap, as many as the hub likes to give at once (at least one when
   * there is one, at most `limit`); empty at the head.
   *
   * @throws HoldfastError `hub-trimmed` when the entry at `after + 1` was trimmed
   */
  read(after: number, limit: number): Promise<readonly HubEntry[]>;
  /**
   * Calls `onNews` soon after entries were appended, by anybody. A hint: calls may be too many or missing, so whoever
   * depends on it also looks now and then. It keeps no process alive, never throws, and takes up its work again by
   * itself when the hub was away.
   */
  subscribe(onNews: () => void): Unsubscribe;
  /** The kept snapshot with the highest position, or null. */
  snapshot(): Promise<HubSnapshot | null>;
  /**
   * Keeps a snapshot in place of one with a lower position; does nothing when there is one with a higher.
   *
   * @throws HoldfastError `hub-damaged` when its position is beyond the head: the log has lost entries, or never had them
   */
  putSnapshot(snapshot: HubSnapshot): Promise<void>;
  /** Forgets the entries up to a position, never beyond that of the kept snapshot. */
  trim(upTo: number): Promise<void>;
  /**
   * Keeps bytes under their name, the hexadecimal SHA-256 of them; a name that is there already is left as it is. A
   * blob can be read as soon as this resolves.
   *
   * @throws HoldfastError `hub-too-large` when there are more than `capabilities.maxBlobBytes`; `hub-full` when this client, or
   * whoever else has its name at the hub, has put as much as the hub takes that no append has named: later it may take more
   */
  putBlob(name: string, bytes: Uint8Array): Promise<void>;
  /** The bytes of a blob, or null. The caller compares their digest. */
  getBlob(name: string): Promise<Uint8Array | null>;
  /** Which of these blobs the log has. */
  hasBlobs(names: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * Removes blobs that lie unused and that nothing names: neither what the caller knows, nor an append since. May be
   * called by anybody at any time, and cut off anywhere.
   *
   * @returns how many were removed
   */
  collectBlobs(collection: BlobCollection): Promise<number>;
}

/** What an engine promises; the replica is correct with any of these. */
export interface HubCapabilities {
  /**
   * What an appended entry survives: `synced`: a power failure of the hub's machine; `killed`: the hub's death only;
   * `replicated`: the loss of a machine.
   */
  readonly durability: 'killed' | 'synced' | 'replicated';
  /** How long the hub knows the id of an entry: `always` means as long as the entry was not trimmed. */
  readonly dedupe: 'always' | 'for-a-time' | 'never';
  /** Whether `subscribe` hears of entries by itself; false: the replica polls. */
  readonly notifies: boolean;
  /** Bytes of one entry. */
  readonly maxEntryBytes: number;
  /** Bytes of one blob; at least 1 MiB. */
  readonly maxBlobBytes: number;
  /** Sentences for a person about what this server's version and settings weaken; empty when nothing. */
  readonly warnings: readonly string[];
}

/**
 * The central point that puts all regions' writes into one order: an ordered log for each name, with a kept snapshot
 * and blobs beside it. It decides nothing; the replicas do. `docs/SYNC.md` says how to write another one, and
 * `hubContract()` tests it.
 */
export interface Hub {
  /** For messages and `sync status`: the engine and where it is, such as `postgres at db.example:5432`. No secrets. */
  readonly name: string;
  /**
   * Connects, checks the server's version and settings, and makes what it needs there.
   *
   * @throws HoldfastError `hub-unreachable`, `hub-unauthorized`, `hub-incompatible`
   */
  connect(): Promise<HubCapabilities>;
  /**
   * A log by name (any string up to 512 UTF-16 code units; two names never meet). Does no I/O. Names keep tenants
   * apart: nothing that is asked of one log can reach another.
   */
  log(name: string): HubLog;
  /** Ends connections; what is under way rejects with HoldfastError `closed`, and so does what follows. */
  close(): Promise<void>;
}
