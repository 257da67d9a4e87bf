import { delay, uptime } from '../../runtime/timers.ts';
import type { DatabaseLocks } from './database-locks.ts';
import { RecordsBusyError } from './records-error.ts';

/** How long whoever clears up after one who was killed is waited for, and how long between two looks, in milliseconds. */
export const PATIENCE = 5_000;
export const RETRY_AFTER = 10;

interface LookedAt {
  readonly name: string;
  readonly hasSnapshots: boolean;
}

/**
 * Runs `look`, which reads a database outside of its transactions. Where there are no snapshots, that is while nobody
 * writes: who reads then would take the journal of a transaction for what one who was killed has left, and undo it.
 *
 * @throws HoldfastError, RecordsBusyError after 5 s, and what `look` throws
 */
export function lookAt<T>(database: LookedAt, locks: DatabaseLocks, look: () => T): Promise<T> {
  return whileNobodyWrites(database, locks, () => patiently(look));
}

/**
 * Does something with a database while nobody writes to it, where there are no snapshots.
 *
 * @throws RecordsBusyError where that came to be taken away
 */
export async function whileNobodyWrites<T>(database: LookedAt, locks: DatabaseLocks, body: () => Promise<T>): Promise<T> {
  const claim = database.hasSnapshots ? null : locks.read(database.name);
  try {
    await claim?.granted;
    const result = await body();
    if (claim?.isLost === true) throw new RecordsBusyError(database.name);
    return result;
  } finally {
    claim?.release();
  }
}

async function patiently<T>(look: () => T): Promise<T> {
  for (const begin = uptime(); ; ) {
    try {
      return look();
    } catch (error) {
      if (!(error instanceof RecordsBusyError) || uptime() - begin > PATIENCE) throw error;
      await delay(RETRY_AFTER);
    }
  }
}
