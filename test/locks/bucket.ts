import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Journal } from '../../src/disk/journal/journal.ts';
import type { BucketPlace } from '../../src/disk/place.ts';
import { placeKeys } from '../support/sealed.ts';

/** The place of a bucket that is made when it is first needed. */
export function bucketAt(directory: string): BucketPlace {
  return { path: directory, encryption: placeKeys, ensure: () => makeBucket(directory) };
}

/** A new directory for one test's bucket. */
export function temporaryBucket(): BucketPlace & { remove(): void } {
  const parent = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-locks-'));
  return { ...bucketAt(path.join(parent, 'bucket')), remove: () => fs.rmSync(parent, { recursive: true, force: true }) };
}

function makeBucket(directory: string): void {
  if (fs.existsSync(directory)) return;
  const draft = `${directory}.${crypto.randomUUID()}`;
  for (const name of ['locks', 'files.0', 'swap', 'trash', 'wake']) fs.mkdirSync(path.join(draft, name), { recursive: true });
  Journal.create(path.join(draft, 'locks'), [], placeKeys?.journal('locks'));
  try {
    fs.renameSync(draft, directory);
  } catch {
    fs.rmSync(draft, { recursive: true }); // Another process was first.
  }
}
