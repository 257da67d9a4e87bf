import timers from 'node:timers';
import type { ReplicaJournal } from '../../disk/replica/replica-journal.ts';
import type { OperationId } from '../../disk/replica/operation.ts';
import { isSameOperation } from '../../disk/replica/operation.ts';
import type { Replica } from '../../disk/replica/replica.ts';
import type { HubConnection } from './hub-connection.ts';

/** What nothing tells of is looked at so often, in milliseconds; and who waits is alive. */
const LOOK_MS = 1000;

/**
 * Resolves when a replica is as `isReached` asks. Keeps the process alive while it waits.
 *
 * @throws the signal's reason; what reading the journal throws
 */
export function until(journal: ReplicaJournal, isReached: (replica: Replica) => boolean, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      end();
      timers.clearInterval(timer);
      signal?.removeEventListener('abort', abort);
      finish();
    };
    const look = (): void => {
      try {
        if (isReached(journal.current())) settle(resolve);
      } catch (error) {
        settle(() => reject(error as Error));
      }
    };
    const abort = (): void => settle(() => reject(signal?.reason as Error));
    const timer = timers.setInterval(look, LOOK_MS);
    let end = (): void => undefined;
    if (signal?.aborted === true) return abort();
    signal?.addEventListener('abort', abort);
    end = journal.watch(look);
    look();
  });
}

/** Waits for what keeps no process alive by itself. @throws the signal's reason; what the promise rejects with */
export async function awake<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  signal?.throwIfAborted();
  let abort = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => (abort = () => reject(signal?.reason as Error)));
  signal?.addEventListener('abort', abort);
  const timer = timers.setInterval(() => undefined, LOOK_MS);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    timers.clearInterval(timer);
    signal?.removeEventListener('abort', abort);
  }
}

/** (10) Everything that is pending now has been echoed. */
export async function flushed(journal: ReplicaJournal, signal?: AbortSignal): Promise<void> {
  const { pending } = journal.current();
  const last = pending.at(pending.length - 1);
  if (last !== undefined) await echoed(journal, last.operation, signal);
}

/** (10) The operation has been echoed: it was accepted, or is in the rejections. */
export function echoed(journal: ReplicaJournal, id: OperationId, signal?: AbortSignal): Promise<void> {
  return until(journal, ({ pending }) => ![...pending].some(({ operation }) => isSameOperation(operation, id)), signal);
}

/** (10) The journal has come to where the hub's log ended when this was called. @throws HoldfastError as hubs do */
export async function caughtUp(journal: ReplicaJournal, connection: HubConnection, name: string, signal?: AbortSignal): Promise<void> {
  await awake(connection.connect(), signal);
  const { epoch, position } = await awake(connection.log(name).head(), signal);
  if (position === 0) return;
  await until(journal, (replica) => replica.epoch === epoch && replica.position >= position, signal);
}
