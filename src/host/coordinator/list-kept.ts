import type { Activity } from '../../coordinator/activity.ts';
import { idOf } from '../../coordinator/coordination.ts';
import type { CoordinatorKey } from '../../coordinator/store.ts';
import { bad } from '../option-checks.ts';
import { logNameOf, type Regions } from './regions.ts';
import type { CoordinatorListing } from './types.ts';

/** Logs that are read at once. */
const AT_ONCE = 16;

/**
 * All coordinators of an origin that a hub keeps, in no order: what their logs say, and what those that run here are doing.
 *
 * @throws HoldfastError bad-option without an origin; as the hub
 */
export async function* listKept(regions: Regions, origin: string | undefined, running: readonly Activity[]): AsyncGenerator<CoordinatorListing, void> {
  if (origin === undefined) throw bad('A hub is asked for the coordinators of one origin: list({ origin }).');
  const live = new Map(running.map((activity) => [idOf(activity), activity]));
  const register = regions.register(origin);
  await register.catchUp();
  const all = Array.from(register.machine.due(Infinity), ({ key }) => key);
  for (let left = all.filter((key) => key.origin === origin); left.length > 0; left = left.slice(AT_ONCE)) {
    const found = await Promise.all(left.slice(0, AT_ONCE).map((key) => surveyOf(regions, key, live.get(idOf(key)))));
    yield* found.filter((each) => each !== null);
  }
}

/** Null: it was registered, and has never been. */
async function surveyOf(regions: Regions, key: CoordinatorKey, activity: Activity | undefined): Promise<CoordinatorListing | null> {
  const store = regions.openStore(key, Infinity);
  try {
    const owner = await store.look();
    const { epoch, alarm, map } = store;
    if (epoch === 0) return null;
    const answers = owner !== null && (await regions.answers(owner.address));
    return { ...key, path: logNameOf(key), epoch, owner: owner && { address: owner.address, process: null, answers }, alarm, bytes: map.bytes, items: map.size, live: activityOf(activity, epoch) };
  } finally {
    store.close();
  }
}

/** One of an earlier epoch has been deposed, and does not know it yet. */
function activityOf(activity: Activity | undefined, least: number): CoordinatorListing['live'] {
  if (activity === undefined || activity.epoch < least) return null;
  const { usedAt, waiting, running, failures } = activity;
  return { usedAt, waiting, running, failures };
}
