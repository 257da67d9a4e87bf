import { CacheStore } from '../../disk/caches/cache-store.ts';
import type { CacheParty } from '../../disk/caches/party.ts';
import { categories } from '../../disk/quota/records.ts';
import { outsideContexts } from '../../runtime/callback-context.ts';
import type { BucketEngine } from '../bucket-engine.ts';
import { appear } from '../presence.ts';

/** No application can have a lock of this name. https://w3c.github.io/web-locks/#dom-lockmanager-request */
const PRESENCE = '-caches';

/** The caches of a bucket, on an engine that is ready whenever they are used. */
export function createCacheStore(engine: BucketEngine): CacheStore {
  const { root, place, meter, durability } = engine.bucket;
  const { shared } = root;
  return new CacheStore(place, {
    durability,
    shared,
    onCompaction: meter.compacted,
    detach: outsideContexts,
    party: () => partyOf(engine),
  });
}

/** An engine that holds a lock goes on running, so that the folder stays the same while the realm is present. */
function partyOf(engine: BucketEngine): CacheParty {
  return {
    get folder() {
      return engine.locks.folder;
    },
    isDead: (folder) => engine.locks.isDead(folder),
    appear: () => appear(engine.locks, PRESENCE),
    ledger: engine.account.ledger(categories.caches),
  };
}
