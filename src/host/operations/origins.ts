import { coordinatorPlaces, type FoundCoordinator } from '../../disk/coordinator/survey.ts';
import { surveyBucket, unlessSealed, type BucketSurvey } from '../../disk/survey/survey-bucket.ts';
import { surveyCoordinator } from '../../disk/survey/survey-coordinator.ts';
import { isEncrypted } from '../../disk/root/encrypted.ts';
import { bucketsOf, type OriginPlace, originsOf } from '../../disk/root/origins.ts';
import type { OriginVault, Vaults } from '../../disk/root/origin-vault.ts';
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
    for (const each of coordinatorSummaries(place, root.vaults)) if (coordinators.push(each) % AT_ONCE === 0) await nextTurn();
    const buckets = bucketSummaries(place, root.vaults);
    if (buckets.length > 0) yield together(place.origin, buckets, coordinators);
    await nextTurn();
  }
}

/** Null: it is gone. `vaults`: those of its root. @throws HoldfastError */
export function summaryOfOrigin(place: OriginPlace, vaults: Vaults | undefined): OriginSummary | null {
  const buckets = bucketSummaries(place, vaults);
  return buckets.length === 0 ? null : together(place.origin, buckets, [...coordinatorSummaries(place, vaults)]);
}

function bucketSummaries({ origin, path: place }: OriginPlace, vaults: Vaults | undefined): BucketSummary[] {
  const vault = vaultOf({ origin, path: place }, vaults);
  return bucketsOf(place, vault?.place('default')).map(({ name, path: bucket, keys }) => summaryOf(name, surveyBucket(bucket, `${origin}/`, keys)));
}

/** Null: it is not encrypted, or nobody here has its keys. */
function vaultOf({ origin, path: place }: OriginPlace, vaults: Vaults | undefined): OriginVault | null {
  return (isEncrypted(place) ? vaults?.of(origin) : undefined) ?? null;
}

/** What one coordinator takes. */
export interface CoordinatorSummary extends BucketSummary {
  readonly className: string;
}

/** Of each coordinator of an origin, in no order. @throws HoldfastError */
export function* coordinatorSummaries(place: OriginPlace, vaults: Vaults | undefined): Generator<CoordinatorSummary, void> {
  for (const each of coordinatorsIn(place, vaultOf(place, vaults))) {
    yield { className: each.className, ...summaryOf(each.name ?? '?', surveyCoordinator(each, `${place.origin}/`)) };
  }
}

/** Where the key is not the origin's they are called as their directories are. */
function coordinatorsIn({ path: place }: OriginPlace, vault: OriginVault | null): Iterable<FoundCoordinator> {
  const visible = coordinatorPlaces(place, null);
  return vault === null ? visible : unlessSealed(() => [...coordinatorPlaces(place, vault)], visible);
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
