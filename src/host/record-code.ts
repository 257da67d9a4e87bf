// What databases run on. Much code, so this module is loaded when the first one is opened.
export { SqliteDatabases } from '../disk/records/databases.ts';
export { BucketLocks } from '../disk/records/locks/bucket-locks.ts';
export { categories } from '../disk/quota/records.ts';
