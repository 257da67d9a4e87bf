import { regionOf } from '../../coordinator/regions/region-transport.ts';
import type { CoordinatorKey } from '../../coordinator/store.ts';
import type { Owner } from '../../disk/coordinator/owned-records.ts';
import type { Root } from '../../disk/root/root.ts';
import { logNameOf } from './log-names.ts';
import type { Kept } from './kept.ts';
import { Running } from './running.ts';
import type { CoordinatorListing } from './types.ts';

/** Logs that are read at once. */
const AT_ONCE = 16;

/**
 * All coordinators of an origin that a hub keeps, in no order: what their logs say, and what those are doing that run in
 * processes of a root. Changes nothing, and makes nothing.
 *
 * @throws HoldfastError as the hub; journal-damaged, unknown-record
 */
export async function* listKept(kept: Kept, origin: string, root: Root): AsyncGenerator<CoordinatorListing, void> {
  const register = kept.register(origin);
  if (await register.isUnused()) return;
  await register.catchUp();
  const running = await Running.of(root);
  const all = Array.from(register.machine.due(Infinity), ({ key }) => key);
  for (let left = all.filter((key) => key.origin === origin); left.length > 0; left = left.slice(AT_ONCE)) {
    const found = await Promise.all(left.slice(0, AT_ONCE).map((key) => surveyOf(kept, key, running)));
    yield* found.filter((each) => each !== null);
  }
}

/** Null: it was registered, and has never been. */
async function surveyOf(kept: Kept, key: CoordinatorKey, running: Running): Promise<CoordinatorListing | null> {
  const store = kept.openStore(key, Infinity);
  try {
    const owner = await store.look();
    const { epoch, alarm, map } = store;
    if (epoch === 0) return null;
    return { ...key, path: logNameOf(key), epoch, owner: owner && (await ownerOf(kept, owner, running)), alarm, bytes: map.bytes, items: map.size, live: running.liveOf(key, epoch) };
  } finally {
    store.close();
  }
}

/** Its process says itself that it is there, where it is one of this root's; of another region the region does. */
async function ownerOf(kept: Kept, { address }: Owner, running: Running): Promise<CoordinatorListing['owner']> {
  const region = regionOf(address);
  const near = running.at(address.slice(region.length + 1));
  if (near !== null) return { address, region, ...near };
  return { address, region, process: null, answers: await kept.answers(address) };
}
