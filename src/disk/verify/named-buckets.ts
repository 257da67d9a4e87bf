import path from 'node:path';
import { DEAD, idOfBucket } from '../buckets/spelling.ts';
import { type Look, verifyBucket } from './bucket.ts';
import { kindOf, namesIn } from './entry.ts';
import type { PlaceKeys } from '../place.ts';
import type { Finding } from './finding.ts';

const BUCKETS = 'buckets';

/** What is wrong with the named buckets of an origin, whose directory is there; what was deleted is on its way out. */
export function verifyNamedBuckets(origin: string, look: Look, keysOf: ((bucket: string) => PlaceKeys) | null): Finding[] {
  const directory = path.join(origin, BUCKETS);
  if (kindOf(directory) !== 'directory') return [];
  const ids = namesIn(directory).filter((name) => idOfBucket(name) === name && kindOf(path.join(directory, name)) === 'directory');
  return ids.flatMap((id) => verifyBucket(path.join(directory, id), look, keysOf?.(`${BUCKETS}/${id}`)).filter(() => !isGoing(directory, id)));
}

/** It may have been deleted while it was looked at. */
function isGoing(directory: string, id: string): boolean {
  return kindOf(path.join(directory, id)) === 'nothing' || kindOf(path.join(directory, id + DEAD)) !== 'nothing';
}
