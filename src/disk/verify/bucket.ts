import path from 'node:path';
import { errorMessage } from '../../runtime/errors.ts';
import { verifyAccount } from './account.ts';
import { verifyCaches } from './caches.ts';
import { threadLife, type ThreadIdentity } from '../../runtime/identity.ts';
import { readNewest } from '../survey/read-newest.ts';
import { kindOf } from './entry.ts';
import { verifyFiles } from './files.ts';
import type { Fault, Finding } from './finding.ts';
import { verifyJournal } from './journal.ts';
import { verifyDatabases } from './databases.ts';
import type { JournalName, Knowledge } from './knowledge.ts';

/** The journals that a bucket can have; the first two it has from its beginning on. */
const journals: readonly JournalName[] = ['local-storage', 'locks', 'quota', 'files-sync', 'channels', 'caches/index', 'register'];
const FIRST = 2;

/** Whose bucket it is, and what to look at it with. */
export interface Look {
  readonly origin: string;
  /** Whether the root's volume takes names for one that differ in case or normalization. */
  readonly foldsNames: boolean;
  readonly knowledge: Knowledge;
  /** Called for each journal that was looked at. */
  onJournal(): void;
}

/** What is wrong in a bucket, whose directory is there. */
export function verifyBucket(directory: string, look: Look): Finding[] {
  const bucket = path.basename(directory);
  const found = journals.flatMap((journal, index) => {
    const faults = attempt(path.join(directory, journal), () => verifyOne(directory, journal, index < FIRST, look));
    return faults.map((fault) => ({ ...fault, origin: look.origin, bucket, journal }));
  });
  const responses = attempt(directory, () => verifyCaches(path.join(directory, 'caches'), look.knowledge));
  const files = attempt(directory, () => verifyFiles(directory, look.foldsNames, endedIn(directory, look.knowledge)));
  const account = attempt(directory, () => verifyAccount(directory, look.knowledge));
  const databases = attempt(path.join(directory, 'indexeddb'), () => [...verifyDatabaseLocks(directory, look), ...verifyDatabases(directory, look.knowledge)]);
  return [
    ...found,
    ...responses.map((fault) => ({ ...fault, origin: look.origin, bucket, journal: 'caches/index' })),
    ...databases.map((fault) => ({ ...fault, origin: look.origin, bucket, journal: null })),
    ...files.map((fault) => ({ ...fault, origin: look.origin, bucket, journal: null })),
    ...account.map((fault) => ({ ...fault, origin: look.origin, bucket, journal: 'quota' })),
  ];
}

/** Whether the session of a folder in `swap/` has ended. Nobody knows where the locks cannot be read. */
export function endedIn(bucket: string, { machines }: Pick<Knowledge, 'machines'>): (folder: string) => boolean {
  let sessions: Map<string, ThreadIdentity> | null = null;
  return (folder) => {
    sessions ??= new Map([...(readNewest(path.join(bucket, 'locks'), () => machines.locks())?.sessions.values() ?? [])].map((session) => [session.folder, session.identity]));
    const identity = sessions.get(folder);
    return identity === undefined || threadLife(identity) === 'dead';
  };
}

/** The second table of locks that a bucket may have. */
function verifyDatabaseLocks(bucket: string, { knowledge, onJournal }: Look): Fault[] {
  const directory = path.join(bucket, 'indexeddb', 'locks');
  if (kindOf(directory) !== 'directory') return [];
  onJournal();
  return verifyJournal(directory, () => knowledge.machines.locks());
}

function verifyOne(bucket: string, name: JournalName, isNeeded: boolean, { origin, knowledge, onJournal }: Look): Fault[] {
  const directory = path.join(bucket, name);
  const kind = kindOf(directory);
  if (kind === 'nothing') return isNeeded && kindOf(bucket) !== 'nothing' ? [missing(directory)] : [];
  if (kind !== 'directory') return [fault('unreadable', directory, 'It is not a directory. No link is followed.')];
  onJournal();
  return verifyJournal(directory, () => knowledge.machines[name](`${origin}/`));
}

function missing(directory: string): Fault {
  return fault('damaged', directory, 'The journal is missing. What it held is lost unless a backup has it.');
}

function fault(kind: Fault['kind'], at: string, message: string): Fault {
  return { kind, path: at, offset: 0, length: 0, message };
}

/** What cannot be looked at is found to be so; the rest is looked at nevertheless. */
function attempt(at: string, body: () => Fault[]): Fault[] {
  try {
    return body();
  } catch (error) {
    return [fault('unreadable', at, `Nothing is known of it: ${errorMessage(error)}`)];
  }
}
