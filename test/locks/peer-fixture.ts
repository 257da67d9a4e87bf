import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { options } from './only-soon.ts';
import type { FileChange, FileLock, HeldWebLock, Intent, LockClass, PendingWebLock, WebLockInfo, WebLockRequest } from '../../src/disk/locks/lock-table.ts';
import { LockTable } from '../../src/disk/locks/table.ts';
import { threadIdentity } from '../../src/runtime/identity.ts';
import { disconnect, serve, tell } from '../support/peer-service.ts';
import { bucketAt } from './bucket.ts';

// A realm that does what it is told, in a process or a worker thread of its own.

export interface PeerOptions {
  readonly bucket: string;
  readonly leaseMs?: number;
  readonly keenMs?: number;
  /** `refused`: the system has no watches left. */
  readonly watching?: 'refused';
  /** `never`: this realm looks at nothing again after a while, unless it is woken. */
  readonly polling?: 'never';
  /** This realm says that its thread started at another time than it did. */
  readonly startedAt?: number;
}

if (options.watching === 'refused') {
  fs.watch = () => {
    throw Object.assign(new Error('EMFILE: too many open files, watch'), { code: 'EMFILE' });
  };
}

const identity = options.startedAt === undefined ? threadIdentity() : { ...threadIdentity(), start: options.startedAt };
const { leaseMs, keenMs } = options;
const table = new LockTable(bucketAt(options.bucket), { identity, ...(leaseMs && { leaseMs }), ...(keenMs && { keenMs }) });

const fileLocks = new Map<number, FileLock>();
const webLocks = new Map<number, HeldWebLock>();
const requests = new Map<number, PendingWebLock>();
const bodies = new Map<number, (changed: boolean) => void>();
const descriptors = new Map<number, number>();
const changes: FileChange[] = [];
let ids = 0;

function get<T>(map: Map<number, T>, id: number): T {
  const value = map.get(id);
  if (value === undefined) throw new Error(`no ${id}`);
  return value;
}

/** A claim as it may be sent. */
const infoOf = ({ name, mode, clientId }: WebLockInfo): WebLockInfo => ({ name, mode, clientId });

export const commands = {
  async lockFile(locator: string[], lockClass: LockClass): Promise<number | null> {
    const lock = await table.lockFile(locator, lockClass);
    if (lock === null) return null;
    fileLocks.set(++ids, lock);
    return ids;
  },
  releaseFile: (id: number): void => get(fileLocks, id).release(),
  isLost: (id: number): boolean => get(fileLocks, id).lost,
  /** Asks for a web lock; tells `granted`, `refused` or `lost` when it comes to that. */
  request(request: Partial<WebLockRequest>): number {
    const id = ++ids;
    const pending = table.request({ name: 'a', mode: 'exclusive', clientId: 'c', ifAvailable: false, steal: false, ...request });
    requests.set(id, pending);
    pending.granted.then(
      (lock) => {
        if (lock === null) return tell({ event: 'refused', id });
        webLocks.set(id, lock);
        lock.onLost = () => tell({ event: 'lost', id });
        tell({ event: 'granted', id });
      },
      (error: Error) => tell({ event: 'failed', id, message: error.message }),
    );
    return id;
  },
  releaseWeb: (id: number): void => get(webLocks, id).release(),
  abort: (id: number): boolean => get(requests, id).abort(),
  query(): Record<'held' | 'pending', WebLockInfo[]> {
    const { held, pending } = table.query();
    return { held: held.map(infoOf), pending: pending.map(infoOf) };
  },
  /** Tells `stirred` whenever others do something with the name. */
  watch: (name: string): void => void table.watch(name, () => tell({ event: 'stirred', id: 0 })),
  ring: (name: string): void => table.ring(name),
  parties: (name: string): ReturnType<LockTable['parties']> => table.parties(name),
  epoch: (): number => table.epoch(),
  /** Starts an operation whose body ends when `finish` is told; tells `running`, then `ended` or `failed`. */
  operate(intent: Intent): number {
    const id = ++ids;
    const body = (): Promise<{ changed: boolean; value: null }> => {
      tell({ event: 'running', id });
      return new Promise((resolve) => bodies.set(id, (changed) => resolve({ changed, value: null })));
    };
    table.operate(intent, body).then(
      () => tell({ event: 'ended', id }),
      (error: Error) => tell({ event: 'failed', id, message: error.message }),
    );
    return id;
  },
  finish: (id: number, changed: boolean): void => get(bodies, id)(changed),
  subscribe: (): void => void table.subscribe((change) => changes.push(change), () => {}),
  changes: (): unknown[] => changes.map(({ operation, source, target }) => [operation, source, target ?? null]),
  open(file: string): number {
    descriptors.set(++ids, fs.openSync(path.join(options.bucket, `files.${table.epoch()}`, file), 'r+'));
    return ids;
  },
  write: (id: number, text: string): number => fs.writeSync(get(descriptors, id), text, 0),
  pause: (milliseconds: number): Promise<void> => new Promise((resolve) => globalThis.setTimeout(resolve, milliseconds)),
  folder: (): string => table.folder,
  close: (): Promise<void> => table.close(),
  disconnect,
  resources: (): string[] => process.getActiveResourcesInfo(),
};

serve(commands);
