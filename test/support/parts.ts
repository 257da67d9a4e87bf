// What programs that are built find beside their code, and those that run from the source have to be given.
import '../../src/disk/map/following-provided.ts';
import '../../src/host/caches/provided.ts';
import '../../src/host/encryption/provided.ts';
import '../../src/host/transaction/provided.ts';
import '../../src/host/storage-buckets/provided.ts';
