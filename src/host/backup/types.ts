import type { Hub } from '../../sync/hub.ts';
import type { EncryptionOptions } from '../encryption/options.ts';
import type { OriginLike } from '../origin.ts';
import type { BackupProblem } from '../../disk/backup/manifest.ts';
import type { Shared } from '../../disk/journal/lockfile.ts';
import type { LostFile } from '../../disk/backup/stage.ts';

export type { BackupProblem, LostFile };

/** How far a backup or restore has come. */
export interface BackupProgress {
  /** Origins that are done, and how many there are. */
  readonly done: number;
  readonly total: number;
  /** Bytes of content that were read, or written, so far. */
  readonly bytes: number;
}

/** Options of {@link StorageHost.backup}. */
export interface BackupOptions {
  /** The origins to back up; by default all that the root has. */
  readonly origins?: readonly OriginLike[];
  /** Which backups are kept, as in `24h,30d,12m`; those beyond are removed afterwards. By default all are. */
  readonly keep?: string;
  readonly onProgress?: (progress: BackupProgress) => void;
  /** Ends it before it is complete: then there is no backup, and what was stored already serves the next one. */
  readonly signal?: AbortSignal;
}

/** What {@link StorageHost.backup} has made. */
export interface BackupResult {
  /** When it was begun; what {@link RestoreOptions.at} is compared with. */
  readonly time: Date;
  readonly origins: number;
  /** Of all origins, whether they had changed or not; bytes of their content. */
  readonly files: number;
  readonly bytes: number;
  /** What had changed since the last backup, and was read. */
  readonly read: { readonly files: number; readonly bytes: number };
  /** What the repository grew by; bytes as they are there, compressed. */
  readonly stored: { readonly chunks: number; readonly bytes: number };
  /** What is not in the backup, or not as of its origin's moment. */
  readonly problems: readonly BackupProblem[];
}

/** A place in the orders of an origin's hub, as `sync.status()` names it. What is not given stays as the backup has it. */
export interface HubPosition {
  /** Of `localStorage`. */
  readonly position?: number;
  /** Of files. */
  readonly filesPosition?: number;
}

/** Options of {@link StorageHost.restore}. */
export interface RestoreOptions {
  /** The directory of backups, as a path or a `file:` URL. */
  readonly from: string | URL;
  /** The root to restore to, as a path or a `file:` URL; made where there is none. */
  readonly root: string | URL;
  /**
   * The last backup that was begun by then; a Date, milliseconds since 1970, or a text that Date takes. By default the
   * last one. Or a position of the hub that the origin follows: the newest backup before it, and what the hub has from
   * there on; as another origin (`as`), or where the origin is not, for in its place the hub would go on.
   */
  readonly at?: Date | number | string | HubPosition;
  /** For a position in `at`: the hub. It stays open, and nothing is written to it. */
  readonly hub?: Hub;
  /** The origin to bring back. By default all of the backup, and the root has no others afterwards but those that it had to leave out. */
  readonly origin?: OriginLike;
  /** The origin that it becomes, beside the one that is there; by default itself. */
  readonly as?: OriginLike;
  /** Whether origins that are there may be replaced, and others of the root removed. Default false. */
  readonly replace?: boolean;
  /** Whether files that the repository has lost are left out. By default nothing is restored then. */
  readonly skipDamaged?: boolean;
  /**
   * The keys of encrypted origins, as a host takes them. Only needed where one that is there is replaced, one becomes
   * another by `as`, or goes to a position of a hub; what comes back is encrypted as it was, with the keys that it had then.
   */
  readonly encryption?: EncryptionOptions | undefined;
  /** `lockfile` for a root on a network disk, as its hosts have it. */
  readonly shared?: Shared | undefined;
  readonly onProgress?: (progress: BackupProgress) => void;
}

/** What {@link StorageHost.restore} has done. */
export interface RestoreResult {
  /** When the backup was begun. */
  readonly time: Date;
  readonly origins: readonly string[];
  /** Of the backup; content that came from a hub is not counted. */
  readonly files: number;
  readonly bytes: number;
  /** What is not there because the repository has lost it. */
  readonly lost: readonly LostFile[];
  /** What the backup lacks of it, as {@link BackupResult.problems} said. An origin that it lacks as a whole is as it was. */
  readonly problems: readonly BackupProblem[];
}
