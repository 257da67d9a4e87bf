import fs from 'node:fs';
import path from 'node:path';
import type { Claim, Session } from '../locks/claims.ts';
import { locatorsOf } from '../locks/claims.ts';
import { COORDINATORS } from '../coordinator/coordinator-names.ts';
import { STORAGE } from '../coordinator/coordinator-place.ts';
import { coordinatorPlaces } from '../coordinator/survey.ts';
import type { Locator } from '../locator.ts';
import { isWithin } from '../locator.ts';
import { LockMachine } from '../locks/machine.ts';
import { belongsTo } from '../locks/whereabouts.ts';
import { encodeOrigin } from '../names/origin.ts';
import { isEncrypted } from '../root/encrypted.ts';
import { type BucketOfOrigin, bucketsOf, type OriginPlace, originsOf } from '../root/origins.ts';
import type { OriginVault } from '../root/origin-vault.ts';
import type { Root } from '../root/root.ts';
import type { PlaceKeys } from '../place.ts';
import { deaf } from './deaf.ts';
import { readNewest } from './read-newest.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { threadLife, type ThreadLife } from '../../runtime/identity.ts';

/** Who takes part in a table of locks. */
export interface SessionReport {
  readonly origin: string;
  readonly bucket: string;
  readonly process: number;
  /** The kernel's number of the thread; 0 where nobody knows it, or for the main one. */
  readonly thread: number;
  readonly life: ThreadLife | 'elsewhere';
  /** When it began to take part, in milliseconds since 1970; null where that is not known any more. */
  readonly since: number | null;
  readonly standing: Session['standing'];
}

/** One lock, or operation, that is held or waited for. */
export interface LockReport extends Omit<SessionReport, 'since'> {
  /**
   * When it was asked for, in milliseconds since 1970 by the clock of who did: also of what had to wait before it was held.
   * Null where that is not known, since a version before recorded it.
   */
  readonly since: number | null;
  readonly kind: 'web' | 'file' | 'operation' | 'database';
  /** Of a web lock its name, of a file its path. */
  readonly name: string;
  readonly mode: string;
  readonly state: 'held' | 'waiting';
  /** Of a web lock: the client that asked. */
  readonly client: string | null;
}

export interface LocksReport {
  readonly sessions: readonly SessionReport[];
  readonly locks: readonly LockReport[];
}

/**
 * The locks of a root, or of an origin, as its processes have recorded them. Reads only; whoever has ended is still there
 * until somebody finds out.
 *
 * @param bucket - of which bucket: null means the default one; all, and those of coordinators, where it is not given.
 * @throws HoldfastError as {@link readNewest}; key-missing, key-wrong where an origin is encrypted and the root has not its key
 */
export function reportLocks(root: Root, origin: string | null, bucket?: string | null): LocksReport {
  const report = { sessions: [], locks: [] };
  const places = origin === null ? originsOf(root) : [{ origin, path: path.join(root.origins, encodeOrigin(origin)) }];
  for (const place of places) {
    for (const { name, path: directory, keys } of tablesOf(place.path, bucket, vaultOf(root, place))) {
      for (const table of ['', 'indexeddb']) collect(path.join(directory, table), { origin: place.origin, bucket: name, keys }, table !== '', report);
    }
  }
  return report;
}

function vaultOf({ vaults }: Root, { origin, path: place }: OriginPlace): OriginVault | null {
  if (!isEncrypted(place)) return null;
  if (vaults === undefined) throw new HoldfastError('key-missing', `${origin} is encrypted, and no key was given.`);
  const vault = vaults.of(origin);
  vault.require(true);
  return vault;
}

interface Whose {
  readonly origin: string;
  readonly bucket: string;
  readonly keys: PlaceKeys | undefined;
}

function tablesOf(origin: string, only: string | null | undefined, vault: OriginVault | null): Pick<BucketOfOrigin, 'name' | 'path' | 'keys'>[] {
  const buckets = bucketsOf(origin, vault?.place('default'));
  if (only === null) return buckets.filter(({ entry }) => entry === null);
  if (only !== undefined) return buckets.filter(({ name, entry }) => entry !== null && name === only);
  const nested = Array.from(coordinatorPlaces(origin, vault), (each) => ({ name: `${COORDINATORS}/${each.className}/${each.name ?? '?'}`, path: path.join(each.path, STORAGE), keys: each.storageKeys }));
  return [...buckets, ...nested];
}

function collect(directory: string, { origin, bucket, keys }: Whose, isOfDatabases: boolean, to: { sessions: SessionReport[]; locks: LockReport[] }): void {
  const machine = readNewest(path.join(directory, 'locks'), () => new LockMachine(deaf), keys?.journal(isOfDatabases ? 'indexeddb/locks' : 'locks') ?? null);
  for (const session of machine?.sessions.values() ?? []) {
    const report = sessionReport(directory, origin, bucket, session);
    to.sessions.push(report);
    for (const claim of [...session.claims.values()].sort((a, b) => a.order - b.order)) to.locks.push({ ...report, ...lockReport(claim, isOfDatabases) });
  }
}

function sessionReport(directory: string, origin: string, bucket: string, { identity, whereabouts, folder, standing }: Session): SessionReport {
  const isElsewhere = belongsTo(directory, whereabouts) === 'elsewhere';
  const life = isElsewhere ? 'elsewhere' : threadLife(identity);
  return { origin, bucket, process: identity.pid, thread: identity.tid, life, since: beginOf(path.join(directory, 'wake', folder)), standing };
}

/** Its bell was made when it came. */
function beginOf(bell: string): number | null {
  const stats = fs.lstatSync(bell, { throwIfNoEntry: false });
  return stats === undefined || stats.birthtimeMs === 0 ? null : Math.floor(stats.birthtimeMs);
}

function lockReport(claim: Claim, isOfDatabases: boolean): Omit<LockReport, Exclude<keyof SessionReport, 'since'>> {
  const common = { state: claim.state === 'held' ? 'held' : 'waiting', since: claim.since === 0 ? null : claim.since } as const;
  if (claim.type === 'web') return { kind: isOfDatabases ? 'database' : 'web', name: claim.name, mode: claim.mode, ...common, client: claim.clientId };
  if (claim.type === 'lock') return { kind: 'file', name: pathOf(claim.locator), mode: claim.lockClass, ...common, client: null };
  return { kind: 'operation', name: locatorsOf(claim.intent).map(pathOf).join(' → '), mode: claim.intent.operation, ...common, client: null };
}

function pathOf(locator: Locator): string {
  return `/${locator.join('/')}`;
}

/** Who holds locks on a file, or on anything below a directory. */
export function holdersOf(root: Root, origin: string, bucket: string | null, names: Locator): LockReport[] {
  const { locks } = reportLocks(root, origin, bucket);
  const isMeant = (name: string): boolean => isWithin(name.split('/').filter((part) => part !== ''), names);
  return locks.filter(({ kind, state, name }) => kind === 'file' && state === 'held' && isMeant(name));
}
