// What the tests of broken variants of coordinators load.
import '../../src/host/caches/provided.ts';
import '../../src/host/encryption/provided.ts';
import '../../src/host/storage-buckets/provided.ts';
import { CoordinatorPlace } from '../../src/disk/coordinator/coordinator-place.ts';
import { OwnedJournal } from '../../src/disk/coordinator/owned-journal.ts';
import { ownerOf, StorageHost } from '../../src/host/storage-host.ts';

export { StorageHost };
export { Coordinators } from '../../src/host/coordinator/index.ts';
export { Keeper } from './coordinators.ts';

/** An item of a coordinator, as its journal has it. */
export function storedIn(host: StorageHost, origin: string, className: string, name: string, item: string): string | null {
  const journal = new OwnedJournal(new CoordinatorPlace(ownerOf(host).root, { origin, className, name }), { durability: 'relaxed', quota: Infinity });
  try {
    journal.look();
    return journal.map.get(item) ?? null;
  } finally {
    journal.close();
  }
}
