import { createHash } from 'node:crypto';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { isChunkName } from './chunk-file.ts';

/** The version of manifests, and of what they name. One of a higher version is refused. */
export const BACKUP_FORMAT = 1;

/** Something that a backup lacks, and why. */
export interface BackupProblem {
  readonly origin: string;
  /** What is not in the backup, relative to the origin's directory; empty: all of it. */
  readonly path: string;
  /**
   * `left-out`: it is not in the backup. `apart`: it is there as of a moment of its own, for it was written to all the time.
   */
  readonly kind: 'left-out' | 'apart';
  readonly message: string;
}

export interface BackedUpOrigin {
  readonly origin: string;
  /** The moment that it is of, in milliseconds since 1970, by the clock of the machine. */
  readonly moment: number;
  readonly files: number;
  readonly bytes: number;
  /** The chunks of its listing, in order. */
  readonly listing: readonly string[];
}

/** What a backup is; all else is named by it. */
export interface BackupManifest {
  /** When it was begun, in milliseconds since 1970. */
  readonly time: number;
  readonly salt: string;
  readonly foldsNames: boolean;
  readonly origins: readonly BackedUpOrigin[];
  readonly problems: readonly BackupProblem[];
}

const DIGEST = 32;
const NAME = /^([0-9]{8}T[0-9]{9}Z)-([0-9a-f]{32})\.json$/;

export function isManifestName(name: string): boolean {
  return NAME.test(name);
}

/** The name of a manifest has its time, by which names sort, and a digest of its text. */
export function encodeManifest(manifest: BackupManifest): { readonly name: string; readonly text: string } {
  const { time, ...rest } = manifest;
  const text = `${JSON.stringify({ format: BACKUP_FORMAT, time: new Date(time).toISOString(), ...rest })}\n`;
  return { name: `${new Date(time).toISOString().replace(/[-:.]/g, '')}-${digestOf(text)}.json`, text };
}

/** The time in a name of a manifest, in milliseconds since 1970; NaN for another one. */
export function timeInName(name: string): number {
  const stamp = NAME.exec(name)?.[1] ?? '';
  return Date.parse(stamp.replace(/^(....)(..)(..)T(..)(..)(..)(...)Z$/, '$1-$2-$3T$4:$5:$6.$7Z'));
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, DIGEST);
}

/** @throws HoldfastError backup-damaged, backup-unusable for a newer version */
export function decodeManifest(name: string, text: string): BackupManifest {
  if (digestOf(text) !== NAME.exec(name)?.[2]) throw damaged(name, 'is not what it was when it was written');
  const value = parse(text);
  const format = value?.['format'];
  if (typeof format === 'number' && format > BACKUP_FORMAT) {
    throw new HoldfastError('backup-unusable', `The backup ${name} has format ${format}, made by a newer version of Holdfast; this one knows up to ${BACKUP_FORMAT}.`);
  }
  const time = Date.parse(String(value?.['time']));
  if (value === null || format !== BACKUP_FORMAT || Number.isNaN(time) || !isRest(value)) throw damaged(name, 'makes no sense');
  const { salt, foldsNames, origins, problems } = value;
  return { time, salt, foldsNames, origins, problems };
}

function parse(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? (value as Readonly<Record<string, unknown>> | null) : null;
  } catch {
    return null;
  }
}

function isRest(value: object): value is Omit<BackupManifest, 'time'> {
  const { salt, foldsNames, origins, problems } = value as Partial<Record<keyof BackupManifest, unknown>>;
  const areOrigins = Array.isArray(origins) && origins.every(isOrigin);
  return typeof salt === 'string' && /^[0-9a-f]{1,256}$/.test(salt) && typeof foldsNames === 'boolean' && areOrigins && Array.isArray(problems) && problems.every(isProblem);
}

function isOrigin(value: unknown): value is BackedUpOrigin {
  const { origin, moment, files, bytes, listing } = (value ?? {}) as Partial<Record<keyof BackedUpOrigin, unknown>>;
  const isNumbered = [moment, files, bytes].every((number) => typeof number === 'number');
  return typeof origin === 'string' && origin !== '' && isNumbered && Array.isArray(listing) && listing.every(isChunkName);
}

function isProblem(value: unknown): value is BackupProblem {
  const { origin, path, kind, message } = (value ?? {}) as Partial<Record<keyof BackupProblem, unknown>>;
  return [origin, path, message].every((text) => typeof text === 'string') && (kind === 'left-out' || kind === 'apart');
}

function damaged(name: string, why: string): HoldfastError {
  return new HoldfastError('backup-damaged', `The backup ${name} ${why}.`);
}
