import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AccountJournal } from '../../src/disk/quota/account-journal.ts';
import { BucketDirectory } from '../../src/disk/root/bucket-directory.ts';
import type { Durability } from '../../src/disk/root/durable.ts';
import { addJournal } from '../../src/disk/root/late-part.ts';
import { Root } from '../../src/disk/root/root.ts';
import { threadIdentity } from '../../src/runtime/identity.ts';
import { handleCalls } from '../crash/support/fault-layer.ts';

/*
 * Processes that are killed leave drafts and locks, which others remove; and a user may remove a bucket at any moment.
 * Whoever makes something in it then makes it all the same, or begins again.
 */

let root: string;

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-vanishing-'));
  // Whether the disk obeys is not the question here, and it takes its time.
  vi.spyOn(fs, 'fsyncSync').mockReturnValue();
});

afterEach(() => {
  handleCalls(root, null);
  vi.restoreAllMocks();
  fs.rmSync(root, { recursive: true, force: true });
});

function bucketWith(durability: Durability): BucketDirectory {
  return new BucketDirectory(new Root(root, durability), 'https://app.example', 'default');
}

/** Makes something, and returns the path by which it is there then. */
type Making = (durability: Durability, bucket: BucketDirectory) => string;

const makings: Record<string, Making> = {
  'a bucket': (durability, { path: bucket }) => {
    bucketWith(durability).ensure();
    return path.join(bucket, 'locks', '0');
  },
  'an account': (durability, bucket) => {
    new AccountJournal(bucket, { durability, identity: threadIdentity, onReplaced: () => undefined }).ensure();
    return path.join(bucket.path, 'quota', '0');
  },
  'another journal': (durability, bucket) => {
    addJournal(bucket, { name: 'files-sync', isStrict: durability === 'strict', snapshot: () => [] });
    return path.join(bucket.path, 'files-sync', '0');
  },
};

const PASSING = ['locks.lock', '.new-quota-00000000-0000-4000-8000-000000000000', '.new-files-sync-00000000-0000-4000-8000-000000000000'];

const removeAll = (paths: string[]): void => {
  for (const each of paths) fs.rmSync(each, { recursive: true, force: true });
};

/** What others do meanwhile, once. */
const deeds: Record<string, (bucket: string) => void> = {
  'locks and drafts of others go': (bucket) => removeAll(PASSING.map((name) => path.join(bucket, name))),
  'all drafts go': (bucket) => {
    const names = fs.existsSync(bucket) ? fs.readdirSync(bucket) : [];
    removeAll(names.filter((name) => name.startsWith('.new-')).map((name) => path.join(bucket, name)));
    const workshop = path.join(root, 'new');
    removeAll(fs.readdirSync(workshop).map((name) => path.join(workshop, name)));
  },
  'the bucket goes': (bucket) => removeAll([bucket]),
  'the origin goes': (bucket) => removeAll([path.dirname(bucket)]),
};

interface Outcome {
  /** Whether there was a call of that number. */
  readonly happened: boolean;
  readonly made: string;
}

/** Makes something, and lets the deed be done right before the system call of that number. */
function makeWhile(make: Making, durability: Durability, number: number, deed: (bucket: string) => void): Outcome {
  const bucket = bucketWith(durability);
  bucket.ensure();
  for (const name of PASSING) fs.mkdirSync(path.join(bucket.path, name));
  let calls = 0;
  let isDoing = false;
  const before = (): undefined => {
    if (isDoing || calls++ !== number) return;
    isDoing = true;
    deed(bucket.path);
    isDoing = false;
  };
  handleCalls(root, { before });
  try {
    return { made: make(durability, bucket), happened: calls > number };
  } finally {
    handleCalls(root, null);
  }
}

describe.each(['relaxed', 'strict'] as const)('whoever makes something in a bucket (%s)', (durability) => {
  for (const [what, make] of Object.entries(makings)) {
    test.each(Object.entries(deeds))(`makes ${what} while %s, before whichever system call`, (name, deed) => {
      for (let number = 0, happened = true; happened; number += 1) {
        fs.rmSync(root, { recursive: true, force: true });
        fs.mkdirSync(root);
        const outcome = makeWhile(make, durability, number, deed);
        happened = outcome.happened;
        // What was made may have gone with the bucket.
        const isThere = fs.existsSync(outcome.made);
        if (!name.endsWith('goes') && !isThere) expect.fail(`before call ${number}: ${outcome.made} is missing`);
      }
    });
  }
});
