import path from 'node:path';
import { STORAGE } from '../coordinator/coordinator-place.ts';
import { TURNS } from '../coordinator/owned-journal.ts';
import { OwnedMachine } from '../coordinator/owned-machine.ts';
import type { CoordinatorDirectory } from '../coordinator/survey.ts';
import { readNewest } from './read-newest.ts';
import { sizeOf, surveyBucket, unlessSealed, type BucketSurvey } from './survey-bucket.ts';
import { lastChangeOf } from './trace.ts';

/** What a coordinator has: the map in its journal, and the rest in the bucket within. Changes nothing. As surveyBucket. */
export function surveyCoordinator({ path: directory, keys, storageKeys }: CoordinatorDirectory, url: string): BucketSurvey {
  const turns = path.join(directory, TURNS);
  const map = unlessSealed(() => readNewest(turns, () => new OwnedMachine(), keys?.journal(TURNS) ?? null)?.map, { bytes: sizeOf(turns), size: 0 });
  const { bytes, changed } = surveyBucket(path.join(directory, STORAGE), url, storageKeys);
  return { bytes: { ...bytes, localStorage: map?.bytes ?? 0 }, items: map?.size ?? 0, changed: Math.max(changed, lastChangeOf(directory, [TURNS])) };
}
