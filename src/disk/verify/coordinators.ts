import path from 'node:path';
import { errorMessage } from '../../runtime/errors.ts';
import { COORDINATORS, CoordinatorNames } from '../coordinator/coordinator-names.ts';
import { STORAGE } from '../coordinator/coordinator-place.ts';
import { TURNS } from '../coordinator/owned-journal.ts';
import { spellingIn } from '../coordinator/survey.ts';
import type { PlaceKeys } from '../place.ts';
import { type Look, verifyBucket } from './bucket.ts';
import { kindOf, namesIn } from './entry.ts';
import type { Finding } from './finding.ts';
import { verifyJournal } from './journal.ts';

type KeysOf = ((bucket: string) => PlaceKeys) | null;

/** What is wrong with the coordinators of an origin, whose directory is there. */
export function verifyCoordinators(origin: string, look: Look, keysOf: KeysOf): Finding[] {
  const directory = path.join(origin, COORDINATORS);
  if (kindOf(directory) !== 'directory') return [];
  const names = keysOf === null ? null : new CoordinatorNames(keysOf);
  return directoriesIn(directory).flatMap((className) =>
    directoriesIn(path.join(directory, className)).flatMap((name) => verifyOne(path.join(directory, className, name), look, keysOf, names)),
  );
}

function directoriesIn(directory: string): string[] {
  return namesIn(directory).filter((name) => kindOf(path.join(directory, name)) === 'directory');
}

/** `names`: null where nothing is to be decrypted. */
function verifyOne(directory: string, look: Look, keysOf: KeysOf, names: CoordinatorNames | null): Finding[] {
  const [className, name] = [path.basename(path.dirname(directory)), path.basename(directory)];
  const bucket = path.join(COORDINATORS, className, name);
  const whose = { origin: look.origin, bucket, journal: TURNS };
  const turns = path.join(directory, TURNS);
  try {
    // What has no journal is none of ours, or is gone.
    if (kindOf(turns) !== 'directory') return [];
    look.onJournal();
    const relative = settledOf(names, `${COORDINATORS}/${className}/${name}`, directory);
    const faults = verifyJournal(turns, () => look.knowledge.machines.turns(), keysOf?.(relative).journal(TURNS) ?? null);
    const storage = path.join(directory, STORAGE);
    const inside = kindOf(storage) === 'directory' ? verifyBucket(storage, look, keysOf?.(`${relative}/${STORAGE}`)) : [];
    return [
      ...(names === null || isNamed(names, className, name, directory) ? [] : [{ ...nameless(directory), ...whose, journal: null }]),
      ...faults.map((fault) => ({ ...fault, ...whose })),
      ...inside.map((each) => ({ ...each, bucket: path.join(bucket, STORAGE) })),
    ];
  } catch (error) {
    return [{ kind: 'unreadable', path: turns, offset: 0, length: 0, message: `Nothing is known of it: ${errorMessage(error)}`, ...whose }];
  }
}

/** What its keys are of. */
function settledOf(names: CoordinatorNames | null, relative: string, directory: string): string {
  return names === null ? relative : names.settled(relative, () => spellingIn(directory));
}

function isNamed(names: CoordinatorNames, className: string, name: string, directory: string): boolean {
  return names.classOf(className) !== null && (names.nameOf(className, name, () => spellingIn(directory)) !== null || kindOf(directory) === 'nothing');
}

function nameless(directory: string): Pick<Finding, 'kind' | 'path' | 'offset' | 'length' | 'message'> {
  return { kind: 'damaged', path: directory, offset: 0, length: 0, message: 'The name of its directory was changed, or is that of another place: nobody finds this coordinator.' };
}
