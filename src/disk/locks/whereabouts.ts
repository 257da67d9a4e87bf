import fs from 'node:fs';

/*
 * A root may be copied while sessions of it live: in the copy's table they hold what they hold in the original, and
 * their threads are alive. So each session says which directory its bucket is, by its numbers and its path.
 */

function numbersOf(directory: string): string | null {
  try {
    const stats = fs.statSync(directory, { throwIfNoEntry: false });
    return stats === undefined ? null : `${stats.dev}-${stats.ino}`;
  } catch {
    return null; // The runtime does not let us look.
  }
}

/** Which directory a bucket is; empty where nobody can say. */
export function whereaboutsOf(bucket: string): string {
  const numbers = numbersOf(bucket);
  return numbers === null ? '' : `${numbers}:${bucket}`;
}

/**
 * Whether a session of those whereabouts belongs to the bucket at `bucket`. That it belongs to another is proven only
 * by seeing both at once: numbers alone may change where a disk is mounted anew, or be given twice.
 */
export function belongsTo(bucket: string, whereabouts: string): 'here' | 'elsewhere' | 'unknown' {
  if (whereabouts === '') return 'here';
  const end = whereabouts.indexOf(':');
  const numbers = whereabouts.slice(0, end);
  const here = numbersOf(bucket);
  if (here === null || here === numbers) return 'here';
  return numbersOf(whereabouts.slice(end + 1)) === numbers ? 'elsewhere' : 'unknown';
}
