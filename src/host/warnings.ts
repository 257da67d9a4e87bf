import path from 'node:path';
import { onWarning } from '../runtime/warning.ts';
import type { StorageWarning } from '../runtime/warning.ts';
import type { Counts } from './meter.ts';

interface Hearer {
  readonly root: string;
  readonly counts: Counts;
  readonly tell: ((warning: StorageWarning) => void) | undefined;
}

/** Hosts that nobody closes are forgotten with their listeners. */
const forgotten = new FinalizationRegistry<() => void>((end) => end());

/**
 * Counts the warnings of a root for a host, and tells its user who wants to be told.
 *
 * @returns what ends it
 */
export function hearWarnings(host: object, { root, counts, tell }: Hearer): () => void {
  const end = onWarning((warning) => {
    if (warning.path !== root && !warning.path.startsWith(root + path.sep)) return false;
    counts.warnings += 1;
    tell?.(warning);
    return tell !== undefined;
  });
  forgotten.register(host, end);
  return end;
}
