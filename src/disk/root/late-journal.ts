import fs from 'node:fs';
import path from 'node:path';
import { withDescriptor } from '../../runtime/descriptors.ts';
import { randomUuid } from '../../runtime/random.ts';
import { wallClock } from '../../runtime/timers.ts';
import { diskError, systemCode, systemCodeBehind } from '../journal/disk-error.ts';
import { Journal } from '../journal/journal.ts';
import type { SnapshotRecord } from '../journal/machine.ts';
import type { BucketPlace } from '../place.ts';
import { syncPlace, syncTree } from './durable.ts';

/** Attempts at making a journal whose bucket, or draft, keeps vanishing before giving up. */
const ATTEMPTS = 20;

const DRAFT = /^\.new-(?:quota|files-sync|channels)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** How old a draft must be, in milliseconds, before it counts as left behind by a killed process. */
const ABANDONED_MS = 10 * 60_000;

/** A journal that a bucket has only once it is used. */
export interface LateJournal {
  /** Its name in the bucket. A draft is `.new-<name>-<uuid>`: nobody else spells a name so. */
  readonly name: string;
  /** Whether it is on the disk before the first record of it counts as done. */
  readonly isStrict: boolean;
  /** What it begins with; asked for once the bucket is there. */
  readonly snapshot: () => Iterable<SnapshotRecord>;
}

/**
 * Makes a journal in a bucket: complete when it appears in its place. Another process may be first, and any may remove
 * the draft or the bucket meanwhile; then it begins again.
 *
 * @throws HoldfastError, and what `place.ensure` throws
 */
export function addJournal(place: BucketPlace, journal: LateJournal): void {
  for (let attempt = 1; ; attempt += 1) {
    place.ensure();
    try {
      return withDescriptor(() => build(place.path, journal));
    } catch (error) {
      if (isTaken(error)) return;
      if (systemCodeBehind(error) !== 'ENOENT' || attempt === ATTEMPTS) throw diskError(error, 'create a journal in', place.path);
      place.lost?.();
    }
  }
}

function isTaken(error: unknown): boolean {
  return ['ENOTEMPTY', 'EEXIST'].includes(systemCode(error));
}

function build(bucket: string, { name, isStrict, snapshot }: LateJournal): void {
  const draft = path.join(bucket, draftPrefix(name) + randomUuid());
  try {
    Journal.create(draft, snapshot());
    if (isStrict) syncTree(draft);
    fs.renameSync(draft, path.join(bucket, name));
  } catch (error) {
    fs.rmSync(draft, { recursive: true, force: true });
    throw error;
  }
  if (isStrict) syncPlace(bucket);
}

/**
 * Removes what killed processes have left of making journals in a bucket, and nothing of another spelling.
 *
 * @throws the operating system's error
 */
export function sweepDrafts(bucket: string): void {
  for (const name of fs.readdirSync(bucket).filter((each) => DRAFT.test(each))) {
    const draft = path.join(bucket, name);
    const stats = fs.lstatSync(draft, { throwIfNoEntry: false });
    if (stats !== undefined && wallClock() - stats.mtimeMs > ABANDONED_MS) fs.rmSync(draft, { recursive: true, force: true });
  }
}

/** What the names of the drafts of a journal begin with. */
export function draftPrefix(journal: string): string {
  return `.new-${journal}-`;
}
