// What the mutants of migration and rotation are made of.
import '../../src/host/caches/provided.ts';
import '../../src/host/encryption/provided.ts';
import '../../src/host/indexed-db/provided.ts';
import '../../src/host/storage-buckets/provided.ts';

export { StorageHost } from '../../src/index.ts';
