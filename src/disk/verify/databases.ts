import path from 'node:path';
import { errorMessage } from '../../runtime/errors.ts';
import { kindOf, namesIn } from './entry.ts';
import type { Fault } from './finding.ts';
import type { Knowledge } from './knowledge.ts';

/** What is wrong with the databases of a bucket. What is being made or deleted is nobody's yet, or any more. */
export function verifyDatabases(bucket: string, { examine }: Knowledge): Fault[] {
  const directory = path.join(bucket, 'indexeddb', 'databases');
  if (kindOf(directory) !== 'directory') return [];
  const names = namesIn(directory).filter((name) => !name.startsWith('.new-'));
  return names.flatMap((name) => verifyOne(path.join(directory, name), examine));
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
