import fs from 'node:fs';
import path from 'node:path';
import { COORDINATORS } from '../../disk/coordinator/coordinator-names.ts';
import { pathOfOrigin } from '../../disk/maintenance/replace-origin.ts';
import { type BucketOfOrigin, bucketsOf, keysOf } from '../../disk/root/origins.ts';
import type { BucketSummary } from '../../host/operations/types.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { Call } from '../call.ts';
import type { Context } from '../context.ts';
import { originOf } from '../context.ts';
import { missing } from '../failure.ts';
import { HasKept } from '../kept.ts';
import type { BucketInfo, OriginInfo } from '../messages.ts';
import type { History } from '../history.ts';
import { areasOf } from './sync.ts';

/** What an origin has, as it is now. */
export function originCall(history: History): Call {
  const hasKept = new HasKept();
  return {
    async run(context, args): Promise<OriginInfo> {
      const origin = originOf(context, args);
      const place = pathOfOrigin(context.root, origin);
      const known = context.census.look({ origin, path: place });
      if (known === null) throw missing(`The root has nothing of ${origin}.`);
      const { summary, problem } = known;
      if (summary === null) throw new HoldfastError('journal-damaged', problem);
      const places = new Map(bucketsOf(place, keysOf(context.root, origin)).map((bucket) => [bucket.name, bucket]));
      return {
        origin,
        usage: summary.usage,
        usageDetails: summary.usageDetails,
        lastChange: summary.lastChange,
        buckets: summary.buckets.map((bucket) => bucketInfo(bucket, places.get(bucket.name))),
        syncs: syncs(context, origin),
        coordinators: fs.existsSync(path.join(place, COORDINATORS)) || (await hasKept.of(context, origin)),
        history: history.of(origin),
      };
    },
  };
}

function syncs({ root }: Context, origin: string): boolean {
  try {
    return areasOf(root, origin).length > 0;
  } catch {
    return true; // The panel says what is wrong.
  }
}

function bucketInfo(summary: BucketSummary, place: BucketOfOrigin | undefined): BucketInfo {
  const entry = place?.entry ?? null;
  return { ...summary, quota: entry?.quota ?? null, persisted: entry?.persisted ?? null, durability: entry?.durability ?? null, expires: entry?.expires ?? null };
}
