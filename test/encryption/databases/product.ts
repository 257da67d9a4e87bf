// What databases are encrypted by, for tests that break it.
export { FileSealing } from '../../../src/disk/encryption/files/file-sealing.ts';
export { SealedDatabase } from '../../../src/disk/encryption/databases/sealed-database.ts';
