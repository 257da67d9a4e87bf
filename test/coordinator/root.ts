import path from 'node:path';
import { BucketDirectory } from '../../src/disk/root/bucket-directory.ts';
import type { Durability } from '../../src/disk/root/durable.ts';
import { Root } from '../../src/disk/root/root.ts';
import { createVaults } from '../../src/host/encryption/code.ts';
import { temporaryDirectory } from '../host/support.ts';
import { encrypted } from '../support/sealed.ts';

/** A root that is not there yet, but for what {@link withOrigin} makes. */
export function rootFor(origin: string, durability: Durability = 'relaxed'): Root {
  const directory = path.join(temporaryDirectory(), 'root');
  const { encryption } = encrypted;
  const root = new Root(directory, durability, undefined, encryption && createVaults(directory, encryption));
  return withOrigin(root, origin);
}

/** Where HOLDFAST_TEST_KEY=1 has it encrypted the origin is made: its keys name the directories of coordinators. */
export function withOrigin(root: Root, origin: string): Root {
  if (root.vaults !== undefined) new BucketDirectory(root, origin, 'default').ensure();
  return root;
}
