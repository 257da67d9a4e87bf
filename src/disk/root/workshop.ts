import fs from 'node:fs';
import path from 'node:path';
import { wallClock } from '../../runtime/timers.ts';
import { isDraft } from '../spelling.ts';

/** How old unfinished work must be, in milliseconds, before it counts as left behind by a killed process. */
const abandonedAfter = 10 * 60_000;

function isAbandoned(entry: string): boolean {
  const stat = fs.lstatSync(entry, { throwIfNoEntry: false });
  return stat !== undefined && wallClock() - stat.mtimeMs > abandonedAfter;
}

/**
 * Removes what killed processes left in a root's workshop, and nothing that has another spelling. The entry is renamed first: a builder that was only paused
 * then finds it gone and begins again, and can never move a half-removed bucket into its place.
 */
export function sweepWorkshop(workshop: string): void {
  try {
    if (!fs.lstatSync(workshop).isDirectory()) return;
    for (const name of fs.readdirSync(workshop)) {
      if (!isDraft(name)) continue;
      const entry = path.join(workshop, name);
      if (!isAbandoned(entry)) continue;
      const doomed = name.endsWith('.dead') ? entry : `${entry}.dead`;
      if (doomed !== entry) fs.renameSync(entry, doomed);
      fs.rmSync(doomed, { recursive: true, force: true });
    }
  } catch {
    // Sweeping is housekeeping: on a read-only disk, or beside another sweeper, it may fail without harm.
  }
}
