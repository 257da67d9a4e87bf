import fs from 'node:fs';
import path from 'node:path';
import { encodeOrigin } from '../../../src/disk/names/origin.ts';
import { weighFiles } from '../../../src/disk/quota/weigh.ts';
import { ORIGINS } from '../workload.ts';
import { filesQuotaOf } from './plan.ts';

function bucketOf(root: string, origin: string): string {
  return path.join(root, 'origins', encodeOrigin(origin), 'default');
}

/** Origins whose files take more than they may; each a sentence. Only exact while nobody changes anything. */
export function overfull(root: string): string[] {
  return ORIGINS.flatMap((origin) => {
    const bytes = weightOf(bucketOf(root, origin));
    const quota = filesQuotaOf(origin);
    return bytes > quota ? [`${origin} files: they take ${bytes} bytes, ${quota} is the quota`] : [];
  });
}

function weightOf(bucket: string): number {
  return [...weighFiles(bucket)].reduce((sum, bytes) => sum + bytes, 0);
}

/** How many generations all journals together have begun after their first. */
export function countGenerations(root: string): number {
  const origins = path.join(root, 'origins');
  return fs.readdirSync(origins).reduce((sum, origin) => sum + generationsOf(path.join(origins, origin, 'default')), 0);
}

function generationsOf(bucket: string): number {
  return ['local-storage', 'locks', 'quota'].reduce((sum, journal) => sum + newestOf(path.join(bucket, journal)), 0);
}

function newestOf(journal: string): number {
  if (!fs.existsSync(journal)) return 0;
  return Math.max(0, ...fs.readdirSync(journal).filter((name) => /^\d+$/.test(name)).map(Number));
}
