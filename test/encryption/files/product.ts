// What the tests of broken variants load.
export { FileSealing } from '../../../src/disk/encryption/files/file-sealing.ts';
export { drawIvs } from '../../../src/disk/encryption/files/ivs.ts';
