import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { listGenerations } from './generation-file.ts';
import type { Journal } from './journal.ts';

/** Attempts at moving a journal that somebody goes on writing to. */
const ATTEMPTS = 64;

/**
 * Moves a journal to a next generation, and keeps none from before; nothing where there is no journal any more.
 *
 * @throws HoldfastError `disk-failed` also where others write to it all the time; as {@link Journal.compact}
 */
export function leaveHistory(journal: Journal<unknown>): void {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (!journal.catchUp()) return;
    journal.compact();
    if ((listGenerations(journal.directory)?.length ?? 0) < 2) return;
  }
  throw new HoldfastError('disk-failed', `The journal in ${journal.directory} could not be moved: others write to it all the time. Try again.`);
}
