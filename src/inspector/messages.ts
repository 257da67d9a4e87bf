// What the server says to the page. Types only: both sides import them.

/** Bytes of an origin or a bucket, by kind. */
export interface Bytes {
  readonly caches: number;
  readonly fileSystem: number;
  readonly indexedDB: number;
  readonly localStorage: number;
}

export interface About {
  readonly root: string;
  readonly readOnly: boolean;
  /** What the host has done in this process, where the inspector is part of an application. */
  readonly stats: object;
}

/** A window of a list. */
export interface Page<Row> {
  /** Of all rows that match. */
  readonly total: number;
  readonly offset: number;
  readonly rows: readonly Row[];
}

export interface OriginRow {
  readonly origin: string;
  /** Null: nobody has looked yet. */
  readonly usage: number | null;
  readonly usageDetails: Bytes | null;
  readonly items: number;
  readonly buckets: number;
  /** Milliseconds since 1970. */
  readonly lastChange: number;
  /** Why nothing is known of it; empty when it is. */
  readonly problem: string;
}

export interface Origins extends Page<OriginRow> {
  /** Of all origins, matching or not. */
  readonly origins: number;
  readonly surveyed: number;
  /** Bytes of those that were looked at. */
  readonly usage: number;
  /** Of the largest: the full length of a bar. */
  readonly largest: number;
}

export interface BucketInfo {
  readonly name: string;
  readonly usage: number;
  readonly usageDetails: Bytes;
  readonly items: number;
  readonly lastChange: number;
  /** Bytes that it may take, and how it is kept; null for what nobody has said. */
  readonly quota: number | null;
  readonly persisted: boolean | null;
  readonly durability: string | null;
  readonly expires: number | null;
}

/** Usage at a moment, in milliseconds since 1970. */
export type Sample = readonly [time: number, localStorage: number, fileSystem: number, indexedDB: number, caches: number];

export interface OriginInfo {
  readonly origin: string;
  readonly usage: number;
  readonly usageDetails: Bytes;
  readonly lastChange: number;
  readonly buckets: readonly BucketInfo[];
  readonly syncs: boolean;
  /** Whether the root has any, or the hub, as far as it could be asked. */
  readonly coordinators: boolean;
  readonly history: readonly Sample[];
}

/** Text that may be the beginning only. */
export interface Cut {
  readonly text: string;
  /** Of all of it, in UTF-16 code units. */
  readonly length: number;
}

export interface ItemRow {
  readonly key: string;
  readonly value: Cut;
}

export interface FileRow {
  readonly name: string;
  readonly kind: 'file' | 'directory';
  /** Bytes; null for a directory, and for what is gone meanwhile. */
  readonly size: number | null;
  /** Milliseconds since 1970. */
  readonly modified: number | null;
  /** Who holds locks on it. */
  readonly locked: string | null;
}

export interface LockRow {
  readonly bucket: string;
  readonly kind: string;
  readonly name: string;
  readonly mode: string;
  readonly state: 'held' | 'waiting';
  readonly process: number;
  readonly thread: number;
  readonly life: string;
  /** When it was asked for, in milliseconds since 1970; null where that is not known. */
  readonly since: number | null;
  readonly client: string | null;
}

export interface SessionRow {
  readonly bucket: string;
  readonly process: number;
  readonly thread: number;
  readonly life: string;
  /** When it began, in milliseconds since 1970. */
  readonly since: number | null;
}

export interface Locks {
  readonly locks: readonly LockRow[];
  readonly sessions: readonly SessionRow[];
}

/** One of both areas that follow a hub, as this root knows it. */
export interface SyncArea {
  readonly area: 'localStorage' | 'files';
  readonly region: string;
  readonly hub: string;
  readonly connected: boolean;
  readonly position: number;
  /** Of the hub's order, as far as anybody here has heard. */
  readonly head: number;
  readonly pending: number;
  readonly pendingBytes: number;
  /** When everything was there last, in milliseconds since 1970; 0: never. */
  readonly time: number;
  readonly rejected: number;
  readonly problem: string;
}

export interface RejectionRow {
  readonly area: 'localStorage' | 'files';
  readonly serial: number;
  readonly reason: string;
  readonly position: number;
  readonly key: string | null;
  readonly refused: Cut | null;
  /** What the key has now. */
  readonly present: Cut | null;
}

export interface ConflictVersion {
  readonly region: string;
  readonly size: number | null;
  readonly modified: number | null;
}

export interface ConflictRow {
  readonly serial: number;
  readonly path: readonly string[];
  readonly lost: ConflictVersion;
  /** Null: a directory has the place. */
  readonly winner: ConflictVersion | null;
  /** Whether what has lost can be had: the hub has it. */
  readonly canRead: boolean;
}

export interface Sync {
  readonly areas: readonly SyncArea[];
  readonly rejections: readonly RejectionRow[];
  readonly conflicts: readonly ConflictRow[];
}

/** A value, as far as it is shown. */
export interface Shown {
  readonly type: string;
  readonly text: string;
  readonly parts?: readonly { readonly name: string; readonly value: Shown }[];
  /** Parts that are not shown. */
  readonly more?: number;
}

export interface StoreInfo {
  readonly name: string;
  readonly keyPath: string | null;
  readonly autoIncrement: boolean;
  readonly records: number;
  readonly indexes: readonly { readonly name: string; readonly keyPath: string; readonly unique: boolean; readonly multiEntry: boolean }[];
}

export interface DatabaseInfo {
  readonly name: string;
  readonly version: number;
  readonly stores: readonly StoreInfo[];
}

export interface RecordRow {
  readonly key: Shown;
  readonly primaryKey: Shown;
  /** To name the record by. */
  readonly handle: unknown;
  readonly value: Shown;
}

export interface CacheInfo {
  readonly name: string;
  readonly entries: number;
}

export interface CacheRow {
  readonly index: number;
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly statusText: string;
  readonly type: string;
  readonly requestHeaders: readonly (readonly [string, string])[];
  readonly headers: readonly (readonly [string, string])[];
}

export interface Coordinators extends Page<CoordinatorRow> {
  /** Why those that the hub keeps are not among them; empty: they are, or there is none. */
  readonly problem: string;
}

export interface CoordinatorRow {
  readonly className: string;
  readonly name: string;
  /** Who runs it; null: nobody. The region where a hub keeps it; whether that answers is not known here: null. */
  readonly owner: { readonly region: string | null; readonly process: number | null; readonly answers: boolean | null } | null;
  /** How often it has changed hands. */
  readonly epoch: number;
  /** In milliseconds since 1970. */
  readonly alarm: number | null;
  /** How often the alarm has failed in a row. */
  readonly attempt: number;
  readonly items: number;
  readonly bytes: number;
  /** What it does just now; null: it is not in memory. */
  readonly live: { readonly usedAt: number; readonly waiting: number; readonly running: number } | null;
}

/** What may have changed, by the names of panels. */
export type Topic = 'origins' | 'usage' | 'items' | 'files' | 'locks' | 'databases' | 'caches' | 'buckets' | 'channels' | 'sync' | 'coordinators';

export interface News {
  readonly changed: readonly Topic[];
}

export interface Failure {
  readonly error: { readonly code: string; readonly message: string };
}
