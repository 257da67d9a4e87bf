import { escapeName, unescapeName } from '../../disk/names/escape.ts';
import type { ListedPlace } from '../../disk/backup/listing.ts';
import type { Alarm } from '../../disk/coordinator/owned-records.ts';
import type { Locator } from '../../disk/locator.ts';

/*
 * What is where in an archive; docs/FORMAT.md, "Archives", is the same in words.
 *
 *   holdfast-archive.json
 *   <origin>/origin.json
 *   <origin>/<bucket>/bucket.json
 *   <origin>/<bucket>/local-storage/<n>.jsonl
 *   <origin>/<bucket>/files/…
 *   <origin>/<bucket>/caches/<n>/cache.json, <m>.json, <m>.response
 *   <origin>/<bucket>/indexeddb/<n>/database.json, blobs/<id>, <store>.<m>.records
 *   <origin>/coordinator-<n>/…       as of a bucket
 *   <origin>/sealed.json, sealed/…  of an encrypted origin, in place of buckets
 *   manifest.sha256
 */

export const FORMAT = 1;
/** Of one that has encrypted origins. */
export const SEALED_FORMAT = 2;

export const HEAD = 'holdfast-archive.json';
export const MANIFEST = 'manifest.sha256';

/** Before the path of a directory, and the line of an entry that readers pass over: comments, for `sha256sum`. */
export const DIRECTORY = '#directory ';
export const VOID = '#void ';

/** Parts of what may grow without bound are about as large, in bytes. */
export const PART_BYTES = 2 ** 20;

/** What the head says. */
export interface ArchiveHead {
  readonly format: number;
  /** ISO 8601. */
  readonly made: string;
  readonly origins: readonly string[];
  /** Of its one origin there is only this named bucket. */
  readonly only?: string;
}

/** What an encrypted origin has in the place of buckets: its files as they are on the disk, and what is to be known of them. */
export const SEALED = 'sealed';
export const SEALED_HEAD = 'sealed.json';

export interface SealedHead {
  /** Whether the volume that it was on takes names for one that differ in case or normalization. */
  readonly foldsNames: boolean;
  readonly places: readonly ListedPlace[];
}

/** The directory of an origin's default bucket; those of the others are `bucket-<n>`. */
export const DEFAULT_BUCKET = 'default';

/** What `bucket.json` says. */
export interface BucketHead {
  readonly name: string;
  readonly persisted: boolean;
  /** Of a named one. */
  readonly durability?: 'relaxed' | 'strict';
  /** Of a named one: bytes that it may take; null: what its origin may. */
  readonly quota?: number | null;
  /** Of a named one: when it is gone, in milliseconds since 1970; null: never by itself. */
  readonly expires?: number | null;
  /** It is no bucket but a coordinator, of that name. */
  readonly coordinator?: CoordinatorHead;
}

/** What stands in a coordinator's `bucket.json` beside its name. */
export interface CoordinatorHead {
  readonly className: string;
  readonly alarm: Alarm | null;
}

/** What stands beside a response: by which request it is found. */
export interface RequestHead {
  readonly url: string;
  readonly fragment: string;
  readonly headers: readonly (readonly [string, string])[];
}

/** The path of an entry of a bucket's file system, below its bucket. Names are spelled as in a root that does not fold them. */
export function pathOfFile(locator: Locator): string {
  return ['files', ...locator.map((name) => escapeName(name, false))].join('/');
}

/** Null: that is no such path. */
export function locatorOfPath(path: string): string[] | null {
  const [first, ...rest] = path.split('/');
  const names = rest.map((spelling) => unescapeName(spelling, false));
  return first === 'files' && names.every((name) => name !== null) ? names : null;
}
