import path from 'node:path';
import { errorMessage } from '../../runtime/errors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { LockMachine } from '../locks/machine.ts';
import type { PlaceKeys } from '../place.ts';
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
  /** Whether the origin is encrypted. */
  readonly isEncrypted: boolean;
}

/** What is wrong in a bucket, whose directory is there. `keys`: null where it is not encrypted, or nothing opens it. */
export function verifyBucket(directory: string, look: Look, keys: PlaceKeys | null = null): Finding[] {
  const bucket = path.basename(directory);
  const found = journals.flatMap((journal, index) => {
    const faults = attempt(path.join(directory, journal), () => verifyOne(directory, journal, index < FIRST, look, keys));
    return faults.map((fault) => ({ ...fault, origin: look.origin, bucket, journal }));
  });
  const responses = attempt(directory, () => verifyCaches(path.join(directory, 'caches'), look.knowledge, keys));
  const files = attempt(directory, () => verifyFiles(directory, { foldsNames: look.foldsNames, isEncrypted: look.isEncrypted, sealing: keys?.sealing ?? null }, endedIn(directory, look.knowledge, keys)));
  const account = attempt(directory, () => verifyAccount(directory, look.knowledge, keys));
  const databases = attempt(path.join(directory, 'indexeddb'), () => [...verifyDatabaseLocks(directory, look, keys), ...verifyDatabases(directory, look.knowledge, look.isEncrypted, keys)]);
  return [
    ...found,
    ...responses.map((fault) => ({ ...fault, origin: look.origin, bucket, journal: 'caches/index' })),
    ...databases.map((fault) => ({ ...fault, origin: look.origin, bucket, journal: null })),
    ...files.map((fault) => ({ ...fault, origin: look.origin, bucket, journal: null })),
    ...account.map((fault) => ({ ...fault, origin: look.origin, bucket, journal: 'quota' })),
  ];
}

/** Whether the session of a folder in `swap/` has ended. Nobody knows where the locks cannot be read. */
export function endedIn(bucket: string, { machines }: Pick<Knowledge, 'machines'>, keys: PlaceKeys | null = null): (folder: string) => boolean {
  let sessions: Map<string, ThreadIdentity> | null = null;
  let isSealed = false;
  const readLocks = (): LockMachine | null => {
    try {
      return readNewest(path.join(bucket, 'locks'), () => machines.locks(), keys?.journal('locks'));
    } catch (error) {
      isSealed = error instanceof HoldfastError && error.code === 'key-missing';
      if (!isSealed) throw error;
      return null;
    }
  };
  return (folder) => {
    sessions ??= new Map([...(readLocks()?.sessions.values() ?? [])].map((session) => [session.folder, session.identity]));
    if (isSealed) return false;
    const identity = sessions.get(folder);
    return identity === undefined || threadLife(identity) === 'dead';
  };
}

/** The second table of locks that a bucket may have. */
function verifyDatabaseLocks(bucket: string, { knowledge, onJournal }: Look, keys: PlaceKeys | null): Fault[] {
  const directory = path.join(bucket, 'indexeddb', 'locks');
  if (kindOf(directory) !== 'directory') return [];
  onJournal();
  return verifyJournal(directory, () => knowledge.machines.locks(), keys?.journal('indexeddb/locks'));
}

function verifyOne(bucket: string, name: JournalName, isNeeded: boolean, { origin, knowledge, onJournal }: Look, keys: PlaceKeys | null): Fault[] {
  const directory = path.join(bucket, name);
  const kind = kindOf(directory);
  if (kind === 'nothing') return isNeeded && kindOf(bucket) !== 'nothing' ? [missing(directory)] : [];
  if (kind !== 'directory') return [fault('unreadable', directory, 'It is not a directory. No link is followed.')];
  onJournal();
  return verifyJournal(directory, () => knowledge.machines[name](`${origin}/`), keys?.journal(name));
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
