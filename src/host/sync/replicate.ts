import { encodeReplicate } from '../../disk/replica/replica-records.ts';
import { randomBytes } from '../../runtime/random.ts';
import { wallClock } from '../../runtime/timers.ts';
import { mintIncarnation } from '../../sync/replicator/mint-incarnation.ts';

/** Bytes of operations that may wait for the hub: more than a full `localStorage` of the usual quota takes (rule 13). */
export const PENDING_CAP = 64 * 2 ** 20;

/** What a map's journal says before its first write that is for other regions too. */
export function firstReplicate(region: string): Uint8Array {
  const incarnation = mintIncarnation({ now: () => wallClock(), randomBytes });
  return encodeReplicate({ incarnation, region, cap: PENDING_CAP });
}
