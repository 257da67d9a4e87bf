import { AlarmIndex } from '../../disk/coordinator/alarm-index.ts';
import { CoordinatorPlace, requireClassName, requireName, type CoordinatorKey } from '../../disk/coordinator/coordinator-place.ts';
import { NestedBucket } from '../../disk/coordinator/nested-bucket.ts';
import { openCoordinator } from '../../disk/coordinator/keyed-journal.ts';
import type { Alarm } from '../../disk/coordinator/owned-records.ts';
import type { MapStep } from '../../disk/map/map-steps.ts';
import { BucketDirectory } from '../../disk/root/bucket-directory.ts';
import type { Root } from '../../disk/root/root.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { internal } from '../../webidl/interface.ts';
import { Bucket } from '../bucket.ts';
import { StorageClient } from '../storage-client.ts';
import { ownerOf, type StorageHost } from '../storage-host.ts';
import type { ImportArea } from './import-bucket.ts';
import type { CoordinatorHead } from './layout.ts';

/** Attempts at owning a coordinator that others take at the same time. */
const ATTEMPTS = 16;

/** What a coordinator is imported into: its map and alarm as one turn, when all of it was read. @throws HoldfastError bad-option */
export function coordinatorArea(host: StorageHost, origin: string, name: string, { className, alarm }: CoordinatorHead): ImportArea {
  requireClassName(className);
  const key = { origin, className, name: requireName(name) };
  const owner = ownerOf(host);
  const steps: MapStep[] = [];
  const bucket = new Bucket(owner, origin, new NestedBucket(owner.root, () => placeOf(owner.root, key)), 'coordinator');
  const client = new StorageClient(internal, bucket, `${origin}/`);
  return {
    localStorage: { setItem: (item, value) => void steps.push({ key: item, value }) },
    caches: () => client.caches,
    indexedDB: () => client.indexedDB,
    getDirectory: () => client.storage.getDirectory(),
    complete: () => writeTurn(owner.root, key, steps, alarm),
    end: async () => {
      await client.end();
      await bucket.close();
    },
  };
}

/** An encrypted origin that is not there is made first: the place has its name by the keys. */
function placeOf(root: Root, key: CoordinatorKey): CoordinatorPlace {
  if (root.vaults !== undefined) new BucketDirectory(root, key.origin, 'default').ensure();
  return new CoordinatorPlace(root, key);
}

/** Whoever runs it is deposed, and the next one finds what was imported. */
async function writeTurn(root: Root, key: CoordinatorKey, steps: readonly MapStep[], alarm: Alarm | null): Promise<void> {
  const journal = openCoordinator(root, key, { durability: root.durability, quota: Infinity });
  try {
    for (let attempt = 1; ; attempt += 1) {
      await journal.look();
      if (!journal.claim('')) continue;
      if (alarm !== null) noteAlarm(root, key, alarm.time, journal.epoch);
      const turn = { steps, alarm: alarm ?? undefined, got: [], begun: [], ended: [] };
      if (journal.settle(turn) === 'settled') return journal.leave();
      if (attempt === ATTEMPTS) throw new HoldfastError('root-busy', `The coordinator '${key.name}' of class ${key.className} is taken by others again and again.`);
    }
  } finally {
    journal.close();
  }
}

/** Before it is set, so that it is never missed. */
function noteAlarm(root: Root, key: CoordinatorKey, time: number, epoch: number): void {
  const index = new AlarmIndex(root);
  try {
    index.look();
    index.note(key, time, epoch);
  } finally {
    index.close();
  }
}
