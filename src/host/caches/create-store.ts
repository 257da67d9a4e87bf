import { CacheStore } from '../../disk/caches/cache-store.ts';
import type { CacheParty, Presence } from '../../disk/caches/party.ts';
import type { WebLockTable } from '../../disk/locks/lock-table.ts';
import { categories } from '../../disk/quota/records.ts';
import { outsideContexts } from '../../runtime/callback-context.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { BucketEngine } from '../bucket-engine.ts';

/** No application can have a lock of this name. https://w3c.github.io/web-locks/#dom-lockmanager-request */
const PRESENCE = '-caches';

/** The caches of a bucket, on an engine that is ready whenever they are used. */
export function createCacheStore(engine: BucketEngine): CacheStore {
  const { root, place, meter, durability } = engine.bucket;
  place.encryption?.refuse('caches');
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
    appear: () => appear(engine.locks),
    ledger: engine.account.ledger(categories.caches),
  };
}

/** Nobody ever holds it alone, so it is granted at once. */
function appear(locks: WebLockTable): Presence {
  const turn = locks.request({ name: PRESENCE, mode: 'shared', clientId: PRESENCE, ifAvailable: false, steal: false });
  turn.granted.catch(() => undefined);
  const { held } = turn;
  if (held === null) throw new HoldfastError('disk-failed', 'A lock that nobody can have alone was not granted.');
  let holds = true;
  held.onLost = () => (holds = false);
  return {
    get holds() {
      return holds;
    },
    release: () => held.release(),
  };
}
