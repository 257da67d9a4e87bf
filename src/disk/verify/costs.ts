import type { Flaw } from './generation.ts';

/** What it costs that these bytes of a journal, or all of it, cannot be read. */
interface Cost {
  readonly bytes: string;
  readonly all: string;
}

/** What is lost with the journal of that name. */
const costs: Readonly<Record<string, Cost>> = {
  'local-storage': {
    bytes: 'What was written to localStorage there is lost: a key has the value that it had before, or none.',
    all: 'localStorage of this origin cannot be used until the journal is restored from a backup; what no backup has is lost.',
  },
  locks: {
    bytes: 'A lock, its end, or a change of a file that was noted there is not known. No content of a file is lost.',
    all: 'Files and locks of this origin cannot be used until the journal is restored from a backup. The files themselves are whole.',
  },
  quota: {
    bytes: 'What the origin takes of the disk may be told wrong until it is counted again, within a day.',
    all: 'It is made anew by counting what is there; nothing is lost.',
  },
  channels: {
    bytes: 'A message of a channel is lost that was on its way. It was to be dropped within seconds.',
    all: 'Channels of this origin cannot be used until the directory is removed. It holds nothing that was to be kept.',
  },
  index: {
    bytes: 'What was put into a cache or deleted from it there is not known: a request may have the response that it had before, or none.',
    all: 'The caches of this origin cannot be used until the journal is restored from a backup; what no backup has is lost.',
  },
  register: {
    bytes: 'A bucket may not be known any more that was made there, and one that was deleted may seem to be there. What is in it is whole, or gone.',
    all: 'The named buckets of this origin cannot be used until the journal is restored from a backup. What is in them is whole.',
  },
  turns: {
    bytes: 'A turn of a coordinator is lost, all of it: what it wrote, its alarm, and that its calls had run.',
    all: 'The coordinator cannot be used until the journal is restored from a backup; what no backup has is lost.',
  },
  'files-sync': {
    bytes: 'A change of a file that was to be synced, or that came from elsewhere, is not known any more. No file on this disk is lost.',
    all: 'Files of this origin are not synced until the journal is restored from a backup. Those on this disk are whole.',
  },
};

const unknown: Cost = { bytes: 'What was written there is lost.', all: 'What the journal held is lost.' };

/**
 * What a flaw costs, in a sentence.
 *
 * @param current - the generation that is read now, where that is a later one.
 */
export function costOf(flaw: Flaw, journal: string, current: number | null): string {
  if (flaw.kind === 'torn') return 'Nothing is lost: nobody was told that it was done.';
  if (current !== null) return `It is not read any more: generation ${current} has taken its place, with what could be read here until then.`;
  if (flaw.kind === 'newer') return 'This version cannot read on; the one that wrote it can.';
  const { bytes, all } = costs[journal] ?? unknown;
  if (flaw.kind === 'unreadable') return `Nothing is known of what is there. If it cannot be read for good: ${all}`;
  return flaw.reach === 'bytes' ? bytes : all;
}
