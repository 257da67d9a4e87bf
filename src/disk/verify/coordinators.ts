import path from 'node:path';
import { errorMessage } from '../../runtime/errors.ts';
import { type Look, verifyBucket } from './bucket.ts';
import { kindOf, namesIn } from './entry.ts';
import type { Finding } from './finding.ts';
import { verifyJournal } from './journal.ts';

const COORDINATORS = 'coordinators';
const TURNS = 'turns';

/** What is wrong with the coordinators of an origin, whose directory is there. */
export function verifyCoordinators(origin: string, look: Look): Finding[] {
  const directory = path.join(origin, COORDINATORS);
  if (kindOf(directory) !== 'directory') return [];
  return directoriesIn(directory).flatMap((className) =>
    directoriesIn(path.join(directory, className)).flatMap((name) => verifyOne(path.join(directory, className, name), look)),
  );
}

function directoriesIn(directory: string): string[] {
  return namesIn(directory).filter((name) => kindOf(path.join(directory, name)) === 'directory');
}

function verifyOne(directory: string, look: Look): Finding[] {
  const bucket = path.join(COORDINATORS, path.basename(path.dirname(directory)), path.basename(directory));
  const whose = { origin: look.origin, bucket, journal: TURNS };
  const turns = path.join(directory, TURNS);
  try {
    // What has no journal is none of ours, or is gone.
    if (kindOf(turns) !== 'directory') return [];
    look.onJournal();
    const faults = verifyJournal(turns, () => look.knowledge.machines.turns());
    const storage = path.join(directory, 'storage');
    const inside = kindOf(storage) === 'directory' ? verifyBucket(storage, look) : [];
    return [...faults.map((fault) => ({ ...fault, ...whose })), ...inside.map((each) => ({ ...each, bucket: path.join(bucket, 'storage') }))];
  } catch (error) {
    return [{ kind: 'unreadable', path: turns, offset: 0, length: 0, message: `Nothing is known of it: ${errorMessage(error)}`, ...whose }];
  }
}
