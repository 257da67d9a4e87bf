import type { WebLockTable } from '../../src/disk/locks/lock-table.ts';
import { LockTable } from '../../src/disk/locks/table.ts';
import { createLockManager, type LockManager } from '../../src/web-locks/lock-manager.ts';
import { MemoryLog, SharedLog } from '../locks/memory-log.ts';

const nowhere = { path: '/nowhere', ensure: () => {} };

/** Lock managers of several clients on one table in memory. */
export function createManagers(count: number): LockManager[] {
  const table = createTable();
  return Array.from({ length: count }, (_, index) => createLockManager({ table: () => table, clientId: `client-${index}` }));
}

export function createTable(log = new SharedLog()): WebLockTable & { close(): Promise<void> } {
  return new LockTable(nowhere, { log: (machine) => new MemoryLog(log, machine) });
}
