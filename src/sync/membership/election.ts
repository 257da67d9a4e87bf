import type { HeldWebLock, WebLockTable } from '../../disk/locks/lock-table.ts';

/** Applications cannot take a lock whose name begins so. https://w3c.github.io/web-locks/#dom-lockmanager-request */
const INTERNAL_PREFIX = '-';

/** Whoever holds it speaks with the hub for the root. */
export const LOCK_NAME = `${INTERNAL_PREFIX}holdfast-sync`;

/**
 * Takes the lock of whoever speaks with the hub, or null while another session of the root lives and has it. It does
 * not wait in the lock's queue: that would keep every process of the root alive.
 */
export function runForElection(locks: WebLockTable, clientId: string): Promise<HeldWebLock | null> {
  return locks.request({ name: LOCK_NAME, mode: 'exclusive', clientId, ifAvailable: true, steal: false }).granted;
}
