import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { BackupName } from './repository.ts';

/** How many backups of which distance are kept: of so many hours, days, weeks, months or years the last one of each. */
export interface Keep {
  readonly unit: Unit;
  readonly count: number;
}

export type Unit = 'h' | 'd' | 'w' | 'm' | 'y';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Which period a time is in, UTC. Weeks begin on Monday. */
const periods: Readonly<Record<Unit, (time: number) => number>> = {
  h: (time) => Math.floor(time / HOUR),
  d: (time) => Math.floor(time / DAY),
  w: (time) => Math.floor((time + 3 * DAY) / (7 * DAY)),
  m: (time) => new Date(time).getUTCFullYear() * 12 + new Date(time).getUTCMonth(),
  y: (time) => new Date(time).getUTCFullYear(),
};

/** `24h,30d,12m` @throws HoldfastError bad-option */
export function parseKeep(text: string): Keep[] {
  return text.split(',').map((part) => {
    const [, count, unit] = /^\s*([1-9][0-9]{0,5})([hdwmy])\s*$/.exec(part) ?? [];
    if (count === undefined || unit === undefined) {
      throw new HoldfastError('bad-option', `What is kept is given as in '24h,30d,12m', with h, d, w, m or y; not '${text}'.`);
    }
    return { count: Number(count), unit: unit as Unit };
  });
}

/**
 * Those to keep, of backups the oldest first: for each rule the last backup of each of the last periods in which there
 * are any; and the last of all.
 */
export function chooseKept(backups: readonly BackupName[], rules: readonly Keep[]): Set<BackupName> {
  const kept = new Set(backups.slice(-1));
  for (const { unit, count } of rules) {
    const lasts = new Map<number, BackupName>();
    for (const backup of backups) lasts.set(periods[unit](backup.time), backup);
    for (const backup of [...lasts.values()].slice(-count)) kept.add(backup);
  }
  return kept;
}
