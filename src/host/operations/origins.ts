import { coordinatorPlaces } from '../../disk/coordinator/survey.ts';
import { surveyBucket, type BucketSurvey } from '../../disk/survey/survey-bucket.ts';
import { surveyCoordinator } from '../../disk/survey/survey-coordinator.ts';
import { isEncrypted } from '../../disk/root/encrypted.ts';
import { bucketsOf, type OriginPlace, originsOf } from '../../disk/root/origins.ts';
import type { Vaults } from '../../disk/root/origin-vault.ts';
import type { Root } from '../../disk/root/root.ts';
import { nextTurn } from '../../runtime/timers.ts';
import type { UsageDetails } from '../../storage/storage-manager.ts';
import type { BucketSummary, OriginSummary } from './types.ts';

/** Coordinators that are looked at in one turn of the event loop. */
const AT_ONCE = 16;

/** The origins of a root, in no order. Nothing of them is opened or made. */
export async function* summaries(root: Root): AsyncGenerator<OriginSummary, void> {
  if (root.open() === null) return;
  for (const place of originsOf(root)) {
    const coordinators: CoordinatorSummary[] = [];
    for (const each of coordinatorSummaries(place)) if (coordinators.push(each) % AT_ONCE === 0) await nextTurn();
    const buckets = bucketSummaries(place, root.vaults);
    if (buckets.length > 0) yield together(place.origin, buckets, coordinators);
    await nextTurn();
  }
}

/** Null: it is gone. `vaults`: those of its root. @throws HoldfastError */
export function summaryOfOrigin(place: OriginPlace, vaults: Vaults | undefined): OriginSummary | null {
  const buckets = bucketSummaries(place, vaults);
  return buckets.length === 0 ? null : together(place.origin, buckets, [...coordinatorSummaries(place)]);
}

function bucketSummaries({ origin, path: place }: OriginPlace, vaults: Vaults | undefined): BucketSummary[] {
  const vault = isEncrypted(place) ? vaults?.of(origin) : undefined;
  return bucketsOf(place, vault?.place('default')).map(({ name, path: bucket, keys }) => summaryOf(name, surveyBucket(bucket, `${origin}/`, keys)));
}

/** What one coordinator takes. */
export interface CoordinatorSummary extends BucketSummary {
  readonly className: string;
}

/** Of each coordinator of an origin, in no order. @throws HoldfastError */
export function* coordinatorSummaries({ origin, path: place }: OriginPlace): Generator<CoordinatorSummary, void> {
  for (const { className, name, path: directory } of coordinatorPlaces(place)) {
    yield { className, ...summaryOf(name ?? '?', surveyCoordinator(directory, `${origin}/`)) };
  }
}

function summaryOf(name: string, { bytes, items, changed }: BucketSurvey): BucketSummary {
  return { name, usage: total(bytes), usageDetails: bytes, items, lastChange: changed };
}

function total({ caches, fileSystem, indexedDB, localStorage }: UsageDetails): number {
  return caches + fileSystem + indexedDB + localStorage;
}

function together(origin: string, buckets: readonly BucketSummary[], coordinators: readonly BucketSummary[]): OriginSummary {
  const { usage, usageDetails, lastChange } = sumOf([...buckets, ...coordinators]);
  return { origin, usage, usageDetails, lastChange, buckets, coordinators: { count: coordinators.length, ...sumOf(coordinators) } };
}

function sumOf(parts: readonly BucketSummary[]): Omit<BucketSummary, 'name'> {
  const sum = (of: (part: BucketSummary) => number): number => parts.reduce((total, part) => total + of(part), 0);
  const bytes = (kind: keyof UsageDetails): number => sum(({ usageDetails }) => usageDetails[kind]);
  const usageDetails = { caches: bytes('caches'), fileSystem: bytes('fileSystem'), indexedDB: bytes('indexedDB'), localStorage: bytes('localStorage') };
  return { usage: total(usageDetails), usageDetails, items: sum(({ items }) => items), lastChange: Math.max(0, ...parts.map(({ lastChange }) => lastChange)) };
}
