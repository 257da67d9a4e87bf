import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Journal } from '../../src/disk/journal/journal.ts';
import type { BucketPlace } from '../../src/disk/place.ts';
import { placeKeys } from '../support/sealed.ts';

/** A place for a bucket with nothing but a map in it, made as real ones are: beside its place, then renamed. */
export function bucketAt(directory: string): BucketPlace & { ensured: number } {
  return {
    path: directory,
    encryption: placeKeys,
    ensured: 0,
    ensure() {
      this.ensured += 1;
      if (fs.existsSync(directory)) return;
      const draft = `${directory}.${process.pid}-${Math.random()}`;
      fs.mkdirSync(path.join(draft, 'local-storage'), { recursive: true });
      Journal.create(path.join(draft, 'local-storage'), [], placeKeys?.journal('local-storage'));
      try {
        fs.renameSync(draft, directory);
      } catch {
        fs.rmSync(draft, { recursive: true });
      }
    },
  };
}

const made: string[] = [];

/** A place whose bucket, and the directories above it, do not exist yet. */
export function newPlace(): ReturnType<typeof bucketAt> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-map-'));
  made.push(directory);
  return bucketAt(path.join(directory, 'root', 'origin', 'default'));
}

export function removePlaces(): void {
  for (const directory of made.splice(0)) fs.rmSync(directory, { recursive: true, force: true });
}

export const ownUrl = 'https://app.example/';

let lastSession = 1000;

export function newSession(): number {
  lastSession += 1;
  return lastSession;
}

/** Waits until a condition holds; the test's own time limit is what ends a wait in vain. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
