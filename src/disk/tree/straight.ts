import fs from 'node:fs';
import { closeQuietly } from './open-plain.ts';

// Windows and some others lack what this needs.
const { O_RDONLY = 0, O_DIRECTORY = 0, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants as Partial<typeof fs.constants>;

/** Whether this system and runtime tell where an open directory is. */
let canTell = process.platform === 'linux';

/** The base that was asked for last, and where it is without links. */
let known: { readonly base: string; readonly real: string } | null = null;

/** Where an open directory is, links resolved; null where that cannot be learned. */
function realPathOf(directory: string): string | null {
  let descriptor: number;
  try {
    descriptor = fs.openSync(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK);
  } catch {
    return null; // Whoever asks looks at each component, and finds out why.
  }
  try {
    return fs.readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    canTell = false;
    return null;
  } finally {
    closeQuietly(descriptor);
  }
}

function realBase(base: string): string | null {
  if (known?.base === base) return known.real;
  const real = realPathOf(base);
  known = real === null ? null : { base, real };
  return real;
}

/**
 * Whether `below`, the rest of a path behind `base`, leads to a directory over plain directories only. The kernel knows
 * where an open directory really is: a link on the way would make that another place. It takes a few system calls, where
 * a look at every component takes one for each, and each of those walks the path up to there. False also where the
 * system does not tell.
 */
export function isStraight(base: string, below: string): boolean {
  if (!canTell) return false;
  const real = realBase(base);
  return real !== null && realPathOf(base + below) === real + below;
}
