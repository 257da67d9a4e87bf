import type { SealedBytes } from '../../runtime/disk-range.ts';
import type { EncodedKey } from './key.ts';

/*
 * What IndexedDB knows of the disk: databases of records that are larger than memory. All methods that give no promise
 * are synchronous, and cheap but where it is said.
 */

/** https://w3c.github.io/IndexedDB/#key-path-construct */
export type KeyPath = string | readonly string[];

/** https://w3c.github.io/IndexedDB/#object-store-construct */
export interface StoreDefinition {
  readonly id: number;
  readonly name: string;
  readonly keyPath: KeyPath | null;
  readonly autoIncrement: boolean;
  readonly indexes: readonly IndexDefinition[];
}

/** https://w3c.github.io/IndexedDB/#index-construct */
export interface IndexDefinition {
  readonly id: number;
  readonly name: string;
  readonly keyPath: KeyPath;
  readonly unique: boolean;
  readonly multiEntry: boolean;
}

/** A database's version and stores, as of one moment. Version 0: it was made, and its first upgrade has not ended. */
export interface Schema {
  readonly version: number;
  readonly stores: readonly StoreDefinition[];
}

/** https://w3c.github.io/IndexedDB/#range-construct; null bounds are none. */
export interface Range {
  readonly lower: EncodedKey | null;
  readonly upper: EncodedKey | null;
  readonly lowerOpen: boolean;
  readonly upperOpen: boolean;
}

/** What a record holds: a written value, or the file it lies in, and the files that it refers to. */
export interface StoredValue {
  /** What `writeValue` gave. */
  readonly bytes: Uint8Array;
  /** Files of the database that the value refers to, by their ids; one may be there more than once. */
  readonly blobs: readonly number[];
}

/** One place of a store or an index. In a store both keys are the same. */
export interface Place {
  readonly key: EncodedKey;
  readonly primaryKey: EncodedKey;
}

export interface StoredRecord extends Place {
  /** Null where only keys were asked for. */
  readonly value: StoredValue | null;
}

export type Direction = 'next' | 'nextunique' | 'prev' | 'prevunique';

/** Which records, in which order. */
export interface Query {
  readonly store: number;
  /** Null: the store itself. */
  readonly index: number | null;
  readonly range: Range | null;
  readonly direction: Direction;
  /** Whether values are wanted. */
  readonly values: boolean;
  /** Only what comes behind this place in the direction; for the unique directions behind all of its key. */
  readonly after?: Place;
  /** Only what is at this key or behind it in the direction (`continue(key)`); with a primary key, at or behind that place. */
  readonly from?: { readonly key: EncodedKey; readonly primaryKey?: EncodedKey };
}

/** Records in order, one at a time, never more in memory than a few. To be closed, and before the transaction writes. */
export interface RecordScan {
  /** @throws RecordsDamagedError */
  next(): StoredRecord | undefined;
  close(): void;
}

/** Work that is cut in small steps: whoever runs it may pause between any two, for as long as it likes. */
export type Steps<T> = Generator<undefined, T>;

/** The keys of one record in one index. */
export interface IndexKeys {
  readonly index: number;
  readonly keys: readonly EncodedKey[];
}

/** What a put needs; indexes that the record has no key for may be left out. */
export interface Put {
  readonly store: number;
  readonly key: EncodedKey;
  readonly value: StoredValue;
  readonly indexKeys: readonly IndexKeys[];
  /** False: `add()`, which a record of the key refuses. */
  readonly overwrite: boolean;
}

/** Why nothing was stored: a record of the key was there, or one with a key of a unique index. */
export type Refusal = { readonly constraint: 'key' } | { readonly constraint: 'index'; readonly index: number };

/** What all transactions can do. It sees one state of the database, and what it wrote itself. */
export interface ReadTransaction {
  get schema(): Schema;
  /** The first record of the range, of a store or an index. */
  first(query: Query): StoredRecord | undefined;
  /** The value of that record: cheaper. Bytes of a small one are there until the next is asked for. */
  value(query: Query): StoredValue | undefined;
  /**
   * The values of the first records of some keys, of a store or an index, by one statement for each number of keys; null:
   * there is none. Null for all where some lie in files of their own, or refer to files.
   */
  values(store: number, index: number | null, keys: readonly EncodedKey[]): readonly (StoredValue | null)[] | null;
  /** `first`: how many records are wanted at first. */
  scan(query: Query, first?: number): RecordScan;
  count(query: Query): Steps<number>;
  /** Of a value that lies in a file of its own, the bytes; in the thread pool. Null: it has come with the record. */
  load(value: StoredValue): Promise<StoredValue> | null;
  /** What the store's key generator gives next, by what was committed; null when it has none left. */
  nextKey(store: number): number | null;
  /** Ends it, undone if it wrote. Harmless twice. */
  rollback(): void;
}

/**
 * What readwrite transactions can do besides. There is one at a time, in all processes. Every method that writes throws
 * OverQuotaError when the bucket's quota or the disk does not suffice, RecordsDamagedError when the file cannot be
 * read or written; the transaction can only be rolled back then.
 */
export interface WriteTransaction extends ReadTransaction {
  /** Null: it was stored. */
  put(put: Put): Refusal | null;
  /** Deletes the records of the range; their index entries, and what they alone refer to, go with them. */
  delete(store: number, range: Range): Steps<void>;
  clear(store: number): Steps<void>;
  /**
   * The key generator's next key; null when it has none left. It stays the next until the generator is raised by it: a
   * record that is refused takes none. https://w3c.github.io/IndexedDB/#generate-a-key
   */
  generateKey(store: number): number | null;
  /** https://w3c.github.io/IndexedDB/#possibly-update-the-key-generator; `key` is a number as it was given. */
  raiseKeyGenerator(store: number, key: number): void;
  /**
   * Makes it last. Relaxed: it survives the end of any process; strict: of the machine too. Everybody sees it before the
   * promise resolves. Default: as its bucket has it. Null: it is there already.
   */
  commit(durability: 'default' | 'relaxed' | 'strict'): Promise<void> | null;
}

/** What an upgrade can do besides. Names are unique among their kind; whoever calls has seen to that. */
export interface UpgradeTransaction extends WriteTransaction {
  setVersion(version: number): void;
  createStore(name: string, keyPath: KeyPath | null, autoIncrement: boolean): StoreDefinition;
  renameStore(store: number, name: string): void;
  deleteStore(store: number): Steps<void>;
  /** The index is empty; `fillIndex` gives it the entries of records that are there. */
  createIndex(store: number, definition: Omit<IndexDefinition, 'id'>): IndexDefinition;
  renameIndex(store: number, index: number, name: string): void;
  deleteIndex(store: number, index: number): Steps<void>;
  /** Adds a record's keys to a new index. */
  fillIndex(store: number, primaryKey: EncodedKey, keys: IndexKeys): Refusal | null;
}

/** A file of a database, for a Blob or a large value. */
export interface BlobFile {
  readonly id: number;
  /** Bytes of its content. */
  readonly size: number;
  readonly path: string;
  /** Where it is encrypted. */
  readonly sealed?: SealedBytes;
}

/** Files beside the records. One lives as long as a committed record refers to it, or somebody holds it. */
export interface BlobFiles {
  /**
   * Writes a new file through the thread pool. It is this realm's own until a transaction that refers to it is
   * committed; if none does, it goes with `release`, or when the realm has ended.
   *
   * @throws OverQuotaError and the operating system's errors
   */
  write(content: AsyncIterable<Uint8Array>): Promise<BlobFile>;
  /** Of a file that a record of an open transaction refers to, or that was written here. */
  file(id: number): BlobFile;
  /** Where a file that is held is now, also when the database was closed, or deleted. */
  whereabouts(id: number): string;
  /** Keeps a file though no record may refer to it any more, until as many `release` were called, or this realm ends. */
  hold(id: number): void;
  release(id: number): void;
}

/** A database that is open in this realm: one for all connections of the realm. */
export interface RecordDatabase {
  readonly name: string;
  readonly blobs: BlobFiles;
  /** Whether readers see a state of their own while somebody writes. If not, nobody may read meanwhile. */
  readonly hasSnapshots: boolean;
  /** The schema as it is when nobody writes who may not be read beside: that is waited for. */
  readSchema(): Promise<Schema>;
  /**
   * A snapshot of when it reads first, which is at once. Transactions that read the same state may share what it costs.
   * `isOpen`: whoever calls has an open connection, beside which no other realm upgrades the database.
   */
  read(isOpen?: boolean): ReadTransaction;
  /**
   * Whoever calls holds the writer's lock. `isNext`: since the end of this realm's last one, so that nobody else can have
   * written. @throws RecordsBusyError when somebody else is found writing all the same.
   */
  write(isNext?: boolean): WriteTransaction;
  /** To be called before the writer's lock is given back after transactions of which one was `isNext`. Never throws. */
  endWriting(): void;
  upgrade(): UpgradeTransaction;
  /** Closes it; its transactions have ended. */
  close(): void;
}

/** What became of a copy. */
export interface CopyReport {
  /** Files that records refer to and that were not there: the Blobs, or large values, are lost in the original too. */
  readonly missing: readonly number[];
}

/** The databases of one bucket. */
export interface RecordDatabases {
  /**
   * Of all that are there now, in no order; those of version 0 too. Only those are looked into of which `versionOf` knows
   * no version.
   */
  list(versionOf?: (name: string) => number | null): Promise<readonly { readonly name: string; readonly version: number }[]>;
  /** Null: it is not there. @throws RecordsUnavailableError, RecordsDamagedError */
  open(name: string): Promise<RecordDatabase | null>;
  /**
   * Encrypts it where it is from before its origin was, and nobody has it open. Whoever calls has the database's queue.
   *
   * @throws RecordsBusyError where somebody has; as `copyTo`
   */
  encrypt(name: string): Promise<void>;
  /**
   * Encrypts it, and its files, with the key that is active, where they have another. Whoever calls has the database's
   * queue. Killed at any time it leaves each file as it was or renewed.
   *
   * @returns false: somebody has it open, or reads a file of it: that has the key that it had
   * @throws as `encrypt`
   */
  renew(name: string): Promise<boolean>;
  /** Deletes what is left of deleted databases, but what somebody still reads; and what killed realms were making, unless somebody is making any. */
  clear(): Promise<void>;
  /** Makes it, of version 0. Whoever calls has the database's queue. */
  create(name: string): Promise<RecordDatabase>;
  /** Whoever calls is alone with it, and has closed it. Harmless where there is none. */
  delete(name: string): Promise<void>;
  /**
   * Copies a database, as it is at one moment, into a new directory, which is then a database's directory like any other:
   * `database.json`, `db` and `blobs/`, whose files have two names where the volume allows it, so that they take no
   * space. It takes part in no account. Whoever writes goes on meanwhile, but in a database without snapshots, where
   * writers wait; the event loop is held for a few milliseconds at a time. When this rejects, the directory is gone.
   *
   * @returns null where there is no such database
   * @throws OverQuotaError when the disk is full, RecordsDamagedError, RecordsUnavailableError, the operating system's errors
   */
  copyTo(name: string, directory: string): Promise<CopyReport | null>;
  /**
   * Makes a directory as {@link copyTo} gives it one of this bucket's databases, by moving it: it must be on the same
   * volume. What this runtime has no SQLite for is changed for the one that it has. Whoever calls has the queue of the
   * name that it says; when this rejects, the directory is where it was.
   *
   * @returns its name
   * @throws OverQuotaError; RecordsDamagedError where it is no database; Error where there is one of its name
   */
  adopt(directory: string): Promise<string>;
  /** Bytes that all of them take. */
  usage(): Promise<number>;
}
