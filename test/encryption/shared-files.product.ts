// What the tests of broken variants load.
export { FileSealing } from '../../src/disk/encryption/files/file-sealing.ts';
export { SharedFiles } from '../../src/disk/tree/shared-files.ts';
