import { isDraft } from '../spelling.ts';

/** What the name of a named bucket's directory ends with once the bucket was deleted. */
export const DEAD = '.dead';

/**
 * The bucket of which a directory in `buckets/` is, whether or not it was deleted; null for what is none of ours. It is
 * named as it was in the workshop.
 */
export function idOfBucket(name: string): string | null {
  const id = name.endsWith(DEAD) ? name.slice(0, -DEAD.length) : name;
  return /^[0-9a-f-]{36}$/.test(id) && isDraft(id) ? id : null;
}
