// What the tests of broken variants of caches, buckets and channels load.
import '../../src/host/broadcast-channel/provided.ts';
import '../../src/host/caches/provided.ts';
import '../../src/host/encryption/provided.ts';
import '../../src/host/storage-buckets/provided.ts';

export { StorageHost } from '../../src/host/storage-host.ts';
