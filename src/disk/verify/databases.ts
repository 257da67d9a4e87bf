import path from 'node:path';
import { errorMessage } from '../../runtime/errors.ts';
import { kindOf, namesIn } from './entry.ts';
import type { Fault } from './finding.ts';
import type { PlaceKeys } from '../place.ts';
import { readDescription } from '../records/description.ts';
import type { Knowledge } from './knowledge.ts';
import { faultOfSealed, type SealedReader } from './sealed-file.ts';

/**
 * What is wrong with the databases of a bucket. What is being made or deleted is nobody's yet, or any more. Of encrypted
 * ones every block is authenticated, and nothing is said without `keys`.
 */
export function verifyDatabases(bucket: string, { examine }: Knowledge, isEncrypted: boolean, keys: PlaceKeys | null): Fault[] {
  const directory = path.join(bucket, 'indexeddb', 'databases');
  if ((isEncrypted && keys === null) || kindOf(directory) !== 'directory') return [];
  const names = namesIn(directory).filter((name) => !name.startsWith('.new-'));
  return names.flatMap((name) => verifyOne(path.join(directory, name), keys === null ? examine : (at) => verifySealed(at, keys)));
}

/** Reads all of an encrypted database. */
function verifySealed(directory: string, keys: PlaceKeys): ReturnType<Knowledge['examine']> {
  const description = readDescription(directory, keys.descriptions);
  const sealing = description && keys.database(description.name);
  if (sealing?.component !== path.basename(directory)) return [{ kind: 'damaged', path: directory, message: 'It does not say which database it is.' }];
  const blobs = path.join(directory, 'blobs');
  const files: [string, SealedReader][] = namesIn(blobs).map((id) => [path.join(blobs, id), { open: (file, at) => sealing.blob(Number(id)).read(file, at) }]);
  files.push([path.join(directory, 'db'), { open: (file, at) => sealing.pages(file, at) }], [path.join(directory, 'db-journal'), { open: (file, at) => sealing.journal(file, at) }]);
  return files.flatMap(([file, reader]) => {
    const message = faultOfSealed(file, reader, 'beside-writers');
    return message === null ? [] : [{ kind: 'damaged', path: file, message }];
  });
}

function verifyOne(directory: string, examine: Knowledge['examine']): Fault[] {
  try {
    const kind = kindOf(directory);
    if (kind === 'nothing') return [];
    if (kind !== 'directory') return [asFault({ kind: 'unreadable', path: directory, message: 'It is not a directory. No link is followed.' })];
    return examine(directory).map(asFault);
  } catch (error) {
    return [asFault({ kind: 'unreadable', path: directory, message: `Nothing is known of it: ${errorMessage(error)}` })];
  }
}

function asFault(fault: Pick<Fault, 'kind' | 'path' | 'message'>): Fault {
  return { ...fault, offset: 0, length: 0 };
}
