import path from 'node:path';
import { STORAGE } from '../coordinator/nested-bucket.ts';
import { TURNS } from '../coordinator/owned-journal.ts';
import { OwnedMachine } from '../coordinator/owned-machine.ts';
import { readNewest } from './read-newest.ts';
import { surveyBucket, type BucketSurvey } from './survey-bucket.ts';
import { lastChangeOf } from './trace.ts';

/** What a coordinator has: the map in its journal, and the rest in the bucket within. Changes nothing. @throws as surveyBucket */
export function surveyCoordinator(directory: string, url: string): BucketSurvey {
  const map = readNewest(path.join(directory, TURNS), () => new OwnedMachine())?.map;
  const { bytes, changed } = surveyBucket(path.join(directory, STORAGE), url);
  return { bytes: { ...bytes, localStorage: map?.bytes ?? 0 }, items: map?.size ?? 0, changed: Math.max(changed, lastChangeOf(directory, [TURNS])) };
}
