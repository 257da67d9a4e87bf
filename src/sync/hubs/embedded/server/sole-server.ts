import fs from 'node:fs';
import path from 'node:path';
import { ensureDirectory } from '../../../../disk/directories.ts';
import { Journal } from '../../../../disk/journal/journal.ts';
import type { HeldWebLock } from '../../../../disk/locks/lock-table.ts';
import { LockTable } from '../../../../disk/locks/table.ts';
import { syncTree } from '../../../../disk/root/durable.ts';
import { HoldfastError } from '../../../../runtime/holdfast-error.ts';
import { threadIdentity, threadLife, type ThreadIdentity } from '../../../../runtime/identity.ts';
import { randomUuid } from '../../../../runtime/random.ts';
import { delay } from '../../../../runtime/timers.ts';

const LOCK = 'hub';

/** How often a server looks whether one whose life cannot be proven has ended, in milliseconds. */
const LOOK_MS = 1000;

/** By then the lease of one that has ended is known to be over, in milliseconds. */
const WAIT_MS = 60_000;

/** The right to be the one server of a root, by the lock table that roots of storage have. */
export interface SoleServer {
  /** Called when another server has taken over, because nothing was seen of this one for long. */
  onLost: (() => void) | null;
  release(): Promise<void>;
}

/**
 * Becomes the one server of a root. One that is seen to live is never replaced. Where that cannot be seen (it ran in
 * another container, or on another machine), waits until its lease has ended.
 *
 * @param waiting called when it waits for a lease
 * @throws HoldfastError `root-unusable` when the root has a server
 */
export async function becomeSoleServer(root: string, waiting: () => void): Promise<SoleServer> {
  const bucket = path.join(root, 'server');
  const table = new LockTable({ path: bucket, ensure: () => makeBucket(bucket) }, { durability: 'strict' });
  try {
    const lock = await acquire(table, root, waiting);
    const sole: SoleServer = { onLost: null, release: () => release(table, lock) };
    lock.onLost = () => sole.onLost?.();
    return sole;
  } catch (error) {
    await table.close();
    throw error;
  }
}

async function release(table: LockTable, lock: HeldWebLock): Promise<void> {
  lock.onLost = null;
  await table.close();
}

async function acquire(table: LockTable, root: string, waiting: () => void): Promise<HeldWebLock> {
  const clientId = JSON.stringify(threadIdentity());
  for (let waited = 0; ; waited += LOOK_MS) {
    const lock = await table.request({ name: LOCK, mode: 'exclusive', clientId, ifAvailable: true, steal: false }).granted;
    if (lock !== null) return lock;
    if (holderLives(table) || waited >= WAIT_MS) {
      throw new HoldfastError('root-unusable', `The root ${root} is served by another hub${describeHolder(table)}; a root has one server.`);
    }
    if (waited === 0) waiting();
    await delay(LOOK_MS);
  }
}

function holder(table: LockTable): ThreadIdentity | null {
  const [held] = table.query().held;
  return held === undefined ? null : (JSON.parse(held.clientId) as ThreadIdentity);
}

function holderLives(table: LockTable): boolean {
  const identity = holder(table);
  return identity !== null && threadLife(identity) === 'alive';
}

function describeHolder(table: LockTable): string {
  const identity = holder(table);
  return identity === null ? '' : ` (process ${identity.pid})`;
}

/** What a lock table needs of a bucket. */
function makeBucket(bucket: string): void {
  if (fs.existsSync(bucket)) return;
  const draft = `${bucket}.${randomUuid()}`;
  try {
    ensureDirectory(draft);
    for (const name of ['locks', 'files.0', 'swap', 'wake']) fs.mkdirSync(path.join(draft, name), { mode: 0o700 });
    Journal.create(path.join(draft, 'locks'));
    syncTree(draft);
    fs.renameSync(draft, bucket);
  } catch (error) {
    fs.rmSync(draft, { recursive: true, force: true });
    // Another server that starts may have been first; its bucket is as good.
    if (!fs.existsSync(bucket)) throw error;
  }
}
