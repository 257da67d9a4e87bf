// A handle that is read is made in the turn of whoever reads the record.
import '../../file-system/loaded.ts';

export { createFactory, endFactory, interfaces } from '../../indexed-db/index.ts';
export { BucketDatabases } from './bucket-databases.ts';
// For who exports or imports.
export { decodeKey } from '../../disk/records/key.ts';
export { readWithBlobs } from '../../indexed-db/values/stored-blobs.ts';
