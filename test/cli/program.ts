// The command as it is built finds these beside its code.
import '../../src/host/broadcast-channel/provided.ts';
import '../../src/host/encryption/provided.ts';
import '../../src/host/indexed-db/provided.ts';
import '../../src/host/storage-buckets/provided.ts';
import '../../src/cli/main.ts';
