// What databases run on. Much code, so this module is loaded when the first one is opened.
export { SqliteDatabases } from '../disk/records/databases.ts';
export { BucketLocks } from '../disk/records/locks/bucket-locks.ts';
// For who backs up a root.
export { DatabaseCopy } from '../disk/records/database-copy.ts';
export { readDescription } from '../disk/records/description.ts';
export { driverNamed } from '../disk/records/drivers.ts';
export { SqliteFile } from '../disk/records/sqlite-file.ts';
export { categories } from '../disk/quota/records.ts';
