// What the mutants of the move of coordinators are made of.
import '../../src/host/caches/provided.ts';
import '../../src/host/encryption/provided.ts';
import '../../src/host/indexed-db/provided.ts';
import '../../src/host/storage-buckets/provided.ts';

export { AlarmIndex } from '../../src/disk/coordinator/alarm-index.ts';
export { Coordinators } from '../../src/host/coordinator/index.ts';
export { ownerOf, StorageHost } from '../../src/host/storage-host.ts';
export { Keeper } from './coordinators.ts';
