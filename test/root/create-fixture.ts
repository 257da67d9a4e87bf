// Creates a bucket as soon as its parent says so, at the same moment as its siblings.
import process from 'node:process';
import { BucketDirectory } from '../../src/disk/root/bucket-directory.ts';
import { Root } from '../../src/disk/root/root.ts';

const [rootPath = '', origin = '', durability] = process.argv.slice(2);

process.once('message', () => {
  const root = new Root(rootPath, durability === 'strict' ? 'strict' : 'relaxed');
  const bucket = new BucketDirectory(root, origin, 'default');
  bucket.ensure();
  process.send?.({ salt: root.open()?.salt, path: bucket.path }, () => process.exit(0));
});
process.send?.('ready');
