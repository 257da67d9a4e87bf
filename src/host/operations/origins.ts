import { surveyBucket, type BucketSurvey } from '../../disk/survey/survey-bucket.ts';
import { bucketsOf, type OriginPlace, originsOf } from '../../disk/root/origins.ts';
import type { Root } from '../../disk/root/root.ts';
import { nextTurn } from '../../runtime/timers.ts';
import type { UsageDetails } from '../../storage/storage-manager.ts';
import type { BucketSummary, OriginSummary } from './types.ts';

/** The origins of a root, in no order. Nothing of them is opened or made. */
export async function* summaries(root: Root): AsyncGenerator<OriginSummary, void> {
  if (root.open() === null) return;
  for (const place of originsOf(root)) {
    const summary = summaryOfOrigin(place);
    if (summary !== null) yield summary;
    await nextTurn();
  }
}

/** Null: it is gone. @throws HoldfastError */
export function summaryOfOrigin({ origin, path: place }: OriginPlace): OriginSummary | null {
  const buckets = bucketsOf(place).map((bucket) => summaryOf(bucket.name, surveyBucket(bucket.path, `${origin}/`)));
  return buckets.length === 0 ? null : together(origin, buckets);
}

function summaryOf(name: string, { bytes, items, changed }: BucketSurvey): BucketSummary {
  return { name, usage: total(bytes), usageDetails: bytes, items, lastChange: changed };
}

function total({ caches, fileSystem, indexedDB, localStorage }: UsageDetails): number {
  return caches + fileSystem + indexedDB + localStorage;
}

function together(origin: string, buckets: readonly BucketSummary[]): OriginSummary {
  const sum = (kind: keyof UsageDetails): number => buckets.reduce((bytes, { usageDetails }) => bytes + usageDetails[kind], 0);
  const usageDetails = { caches: sum('caches'), fileSystem: sum('fileSystem'), indexedDB: sum('indexedDB'), localStorage: sum('localStorage') };
  return { origin, usage: total(usageDetails), usageDetails, lastChange: Math.max(...buckets.map(({ lastChange }) => lastChange)), buckets };
}
