// The register with what its tests need of the disk: an entry of its own, so that it can be bundled broken.
export { RegisterMachine } from '../../src/disk/buckets/machine.ts';
export { BucketRegister } from '../../src/disk/buckets/register.ts';
export { BucketDirectory } from '../../src/disk/root/bucket-directory.ts';
export { Journal } from '../../src/disk/journal/journal.ts';
export { Root } from '../../src/disk/root/root.ts';
export { NamedDirectory } from '../../src/disk/buckets/named-directory.ts';
