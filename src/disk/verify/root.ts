import fs from 'node:fs';
import path from 'node:path';
import { errorMessage } from '../../runtime/errors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { wallClock } from '../../runtime/timers.ts';
import { systemCode } from '../journal/disk-error.ts';
import { decodeOrigin, encodeOrigin } from '../names/origin.ts';
import { rootReadFailure } from '../root/failure.ts';
import type { Root } from '../root/root.ts';
import type { PlaceKeys } from '../place.ts';
import { isReplaced } from '../maintenance/replaced.ts';
import { isDraft } from '../spelling.ts';
import { type Look, verifyBucket } from './bucket.ts';
import { verifyCoordinators } from './coordinators.ts';
import { kindOf, namesIn } from './entry.ts';
import type { Finding } from './finding.ts';
import { findKeys } from './keys.ts';
import type { Knowledge } from './knowledge.ts';
import { verifyNamedBuckets } from './named-buckets.ts';

/** The bucket that every origin has. */
const BUCKET = 'default';

/** What a root is found to be. */
export interface Verification {
  readonly origins: number;
  readonly journals: number;
  readonly findings: readonly Finding[];
  /** Encrypted origins whose keys were not there: checksums and structure were looked at, and nothing was authenticated. */
  readonly unauthenticated: readonly string[];
}

/**
 * Looks at all that is recorded below a root, which is there: each journal of each origin, byte by byte. Writes
 * nothing, follows no link, and goes well beside processes that use the root.
 *
 * @param onOrigin - told before each origin how many there are, and how many are done.
 * @throws HoldfastError when the root's origins cannot be read
 */
export function verifyRoot(root: Root, knowledge: Knowledge, onOrigin: (done: number, total: number) => void): Verification {
  const names = originNames(root);
  const foldsNames = root.open()?.foldsNames ?? false;
  const findings: Finding[] = workshopFindings(root);
  let origins = 0;
  let journals = 0;
  const unauthenticated: string[] = [];
  names.forEach((name, index) => {
    onOrigin(index, names.length);
    const found = verifyOrigin(path.join(root.origins, name), { root, knowledge, foldsNames, onJournal: () => (journals += 1), onSealed: (origin) => unauthenticated.push(origin) });
    if (found !== null) origins += 1;
    for (const finding of found ?? []) findings.push(finding);
  });
  return { origins, journals, findings, unauthenticated };
}

/** What is being built is not left behind before ten minutes have passed. */
const ABANDONED_MS = 10 * 60_000;

const REPLACED = 'It is an origin that was being replaced when a process was killed; its `origin.json` says which. Where that is missing now, move it back to `origins/`; else delete it.';

function workshopFindings(root: Root): Finding[] {
  try {
    if (kindOf(root.workshop) !== 'directory') return [];
    const old = namesIn(root.workshop).filter((name) => {
      const stats = isDraft(name) ? fs.lstatSync(path.join(root.workshop, name), { throwIfNoEntry: false }) : undefined;
      return stats !== undefined && wallClock() - stats.mtimeMs > ABANDONED_MS;
    });
    const message = `${old.length === 1 ? 'An entry is' : `${old.length} entries are`} left of what was being built, or deleted, when a process was killed. Nothing is lost.`;
    const findings = namesIn(root.workshop).filter(isReplaced).map((name) => finding('foreign', null, path.join(root.workshop, name), REPLACED));
    return old.length === 0 ? findings : [finding('orphan', null, root.workshop, message), ...findings];
  } catch {
    return []; // What cannot be listed is nobody's data.
  }
}

function originNames(root: Root): string[] {
  try {
    if (kindOf(root.origins) === 'other') throw new HoldfastError('root-unusable', `The origins of ${root.path} are behind a link, which is not followed.`);
    return namesIn(root.origins);
  } catch (error) {
    throw rootReadFailure(root.path, error);
  }
}

interface LookAtOrigin extends Omit<Look, 'origin' | 'isEncrypted'> {
  readonly root: Root;
  /** Told of an encrypted origin that cannot be opened. */
  readonly onSealed: (origin: string) => void;
}

/** Null: that is no origin, but somebody else's, or gone. */
function verifyOrigin(directory: string, { root, onSealed, ...look }: LookAtOrigin): Finding[] | null {
  const spelled = decodeOrigin(path.basename(directory));
  try {
    const kind = kindOf(directory);
    if (kind === 'nothing') return null;
    if (kind !== 'directory') return spelled === null ? null : [finding('unreadable', spelled, directory, 'It is not a directory. No link is followed.')];
    const named = readOrigin(directory);
    const origin = spelled ?? named.origin;
    if (origin === null || isForeign(directory)) return null;
    const { isEncrypted, keysOf, faults } = findKeys(root, origin, directory);
    if (isEncrypted && keysOf === null) onSealed(origin);
    const inside = { ...look, origin, isEncrypted };
    return [
      ...named.findings.map((each) => ({ ...each, origin })),
      ...faults.map((each) => ({ ...each, origin, bucket: null, journal: null })),
      ...verifyBuckets(directory, inside, keysOf?.(BUCKET)),
      ...verifyNamedBuckets(directory, inside, keysOf),
      ...verifyCoordinators(directory, inside, keysOf),
    ];
  } catch (error) {
    return [finding('unreadable', spelled, directory, `Nothing is known of it: ${errorMessage(error)}`)];
  }
}

/** Any name is that of some origin, so that it tells nothing. */
function isForeign(directory: string): boolean {
  return ['origin.json', BUCKET].every((name) => kindOf(path.join(directory, name)) === 'nothing');
}

function verifyBuckets(directory: string, look: Look, keys: PlaceKeys | undefined): Finding[] {
  const bucket = path.join(directory, BUCKET);
  const kind = kindOf(bucket);
  if (kind === 'nothing') return [];
  if (kind === 'directory') return verifyBucket(bucket, look, keys);
  return [{ ...finding('unreadable', look.origin, bucket, 'It is not a directory. No link is followed.'), bucket: BUCKET }];
}

/** The origin that `origin.json` names, and what is wrong with that file. */
function readOrigin(directory: string): { origin: string | null; findings: Finding[] } {
  const file = path.join(directory, 'origin.json');
  const text = textOf(file);
  const origin = text === null ? null : originIn(text);
  if (origin !== null && encodeOrigin(origin) === path.basename(directory)) return { origin, findings: [] };
  if (kindOf(directory) === 'nothing') return { origin: null, findings: [] };
  const what = text === null ? 'It is missing, or no plain file.' : 'It does not name the origin that its directory is of.';
  return { origin: null, findings: [finding('damaged', null, file, `${what} Nothing else is lost: the data are found by the directory's name.`)] };
}

function textOf(file: string): string | null {
  try {
    return kindOf(file) === 'file' ? fs.readFileSync(file, 'utf8') : null;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}

function originIn(text: string): string | null {
  try {
    const { origin } = JSON.parse(text) as { origin?: unknown };
    return typeof origin === 'string' ? origin : null;
  } catch {
    return null;
  }
}

function finding(kind: Finding['kind'], origin: string | null, at: string, message: string): Finding {
  return { kind, origin, bucket: null, journal: null, path: at, offset: 0, length: 0, message };
}
