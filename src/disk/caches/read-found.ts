import fs from 'node:fs';
import type { CacheEntry } from './entry.ts';
import type { StoredResponse } from './response-files.ts';

/** How often is looked again because what was found is gone. */
const LOOKS = 64;

/**
 * Reads the responses that `find` finds, `most` of them. One that another process has replaced in between is looked for
 * again, so that the old or the new one is given; one that is named and cannot be read counts as none.
 *
 * @throws the operating system's error
 */
export function readFound(find: () => readonly CacheEntry[], read: (entry: CacheEntry) => StoredResponse | null, most = Infinity): StoredResponse[] {
  const unreadable = new Set<string>();
  for (let look = 0; look < LOOKS; look++) {
    const responses: StoredResponse[] = [];
    const lost = readUntilLost(find().filter(({ file }) => !unreadable.has(file)), read, most, responses);
    if (lost === null) return responses;
    responses.forEach(close);
    if (find().some(({ file }) => file === lost.file)) unreadable.add(lost.file);
  }
  return [];
}

/** The first that is not there; null where all were read that are wanted. */
function readUntilLost(entries: readonly CacheEntry[], read: (entry: CacheEntry) => StoredResponse | null, most: number, into: StoredResponse[]): CacheEntry | null {
  for (const entry of entries) {
    const response = read(entry);
    if (response === null) return entry;
    if (into.push(response) >= most) return null;
  }
  return null;
}

function close({ body }: StoredResponse): void {
  if ('descriptor' in body) fs.closeSync(body.descriptor);
}
