import fs from 'node:fs';
import path from 'node:path';
import { withDescriptor } from '../../runtime/descriptors.ts';
import { randomUuid } from '../../runtime/random.ts';
import { wallClock } from '../../runtime/timers.ts';
import { diskError, systemCode, systemCodeBehind } from '../journal/disk-error.ts';
import { Journal } from '../journal/journal.ts';
import type { SnapshotRecord } from '../journal/machine.ts';
import type { BucketPlace } from '../place.ts';
import { isPartDraft } from '../spelling.ts';
import { syncPlace, syncTree } from './durable.ts';

/** Attempts at making a part whose bucket, or draft, keeps vanishing before giving up. */
const ATTEMPTS = 20;

/** How old a draft must be, in milliseconds, before it counts as left behind by a killed process. */
const ABANDONED_MS = 10 * 60_000;

/** What a bucket has only once it is used: a journal, or a directory with one and more. */
export interface LatePart {
  /** Its name in the bucket. A draft is `.new-<name>-<uuid>`: nobody else spells a name so. */
  readonly name: string;
  /** Whether it is on the disk before the first record of it counts as done. */
  readonly isStrict: boolean;
  /** Makes it in a directory that is not there yet; called once the bucket is. */
  readonly build: (draft: string) => void;
}

/**
 * Makes a part of a bucket: complete when it appears in its place. Another process may be first, and any may remove the
 * draft or the bucket meanwhile; then it begins again.
 *
 * @throws HoldfastError, and what `place.ensure` throws
 */
export function addPart(place: BucketPlace, part: LatePart): void {
  for (let attempt = 1; ; attempt += 1) {
    place.ensure();
    try {
      return withDescriptor(() => build(place.path, part));
    } catch (error) {
      if (isTaken(error)) return;
      if (systemCodeBehind(error) !== 'ENOENT' || attempt === ATTEMPTS) throw diskError(error, `create '${part.name}' in`, place.path);
      place.lost?.();
    }
  }
}

/** The same for a journal. `snapshot`: what it begins with; asked for once the bucket is there. */
export function addJournal(place: BucketPlace, { name, isStrict, snapshot }: Omit<LatePart, 'build'> & { readonly snapshot: () => Iterable<SnapshotRecord> }): void {
  addPart(place, { name, isStrict, build: (draft) => Journal.create(draft, snapshot(), place.encryption?.journal(name)) });
}

function isTaken(error: unknown): boolean {
  return ['ENOTEMPTY', 'EEXIST'].includes(systemCode(error));
}

function build(bucket: string, part: LatePart): void {
  const draft = path.join(bucket, draftPrefix(part.name) + randomUuid());
  try {
    part.build(draft);
    if (part.isStrict) syncTree(draft);
    fs.renameSync(draft, path.join(bucket, part.name));
  } catch (error) {
    fs.rmSync(draft, { recursive: true, force: true });
    throw error;
  }
  if (part.isStrict) syncPlace(bucket);
}

/**
 * Removes what killed processes have left of making parts of a bucket, and nothing of another spelling.
 *
 * @throws the operating system's error
 */
export function sweepDrafts(bucket: string): void {
  for (const name of fs.readdirSync(bucket).filter((each) => isPartDraft(each))) {
    const draft = path.join(bucket, name);
    const stats = fs.lstatSync(draft, { throwIfNoEntry: false });
    if (stats !== undefined && wallClock() - stats.mtimeMs > ABANDONED_MS) fs.rmSync(draft, { recursive: true, force: true });
  }
}

/** What the names of the drafts of a part begin with. */
export function draftPrefix(part: string): string {
  return `.new-${part}-`;
}
