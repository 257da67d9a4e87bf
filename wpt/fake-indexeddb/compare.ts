import { appliesHere, isScope, type Entry, type Reason, type SuiteRecord } from '../record/record.ts';
import { allPasses, type PublishedFile } from './manifest.ts';

/** What passes there, and not here by our record, which every run is held to. */
export interface Advantage {
  readonly file: string;
  /** Null: none of the file is run here. */
  readonly subtest: string | null;
  readonly reason: Reason;
  /** Whether it is about what no server has: there a stand-in of the tests' surroundings has passed for it. */
  readonly isOutOfReach: boolean;
}

export function advantagesOf(published: ReadonlyMap<string, PublishedFile>, record: SuiteRecord): Advantage[] {
  return Object.entries(record).flatMap(([file, entry]) => {
    const there = published.get(nameThere(file));
    return there === undefined || there.isSkipped ? [] : advantagesIn(file, entry, there);
  });
}

/** Files that both have. */
export function sharedFiles(published: ReadonlyMap<string, PublishedFile>, record: SuiteRecord): readonly string[] {
  return Object.keys(record).filter((file) => published.has(nameThere(file)));
}

function nameThere(file: string): string {
  return file.slice(file.indexOf('/') + 1, file.lastIndexOf('.'));
}

function advantagesIn(file: string, entry: Entry, there: PublishedFile = allPasses): Advantage[] {
  const made = (subtest: string | null, reason: Reason): Advantage => ({ file, subtest, reason, isOutOfReach: isScope(reason) });
  if (!entry.run) return [made(null, entry.reason)];
  const here = (entry.except ?? []).filter(appliesHere);
  return here.flatMap(({ subtests, reason }) => subtests.filter((subtest) => !there.notPassing.has(subtest)).map((subtest) => made(subtest, reason)));
}
