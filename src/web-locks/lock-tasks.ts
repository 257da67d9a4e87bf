import { Paced } from '../runtime/paced.ts';

/** How many tasks may follow each other before the event loop turns, and for how long: each may run a callback. */
const tasks = new Paced<() => void>((task) => task(), { items: 256, milliseconds: 4 });

/**
 * Runs a task of this realm's lock task queue: at once, or in a later turn of the event loop, after those that were
 * there before, when this turn has had its share. So neither thousands of requests, nor their aborts, nor a chain of
 * callbacks that hand a lock on keeps timers and sockets from their turn. https://w3c.github.io/web-locks/#lock-task-queue
 */
export function runLockTask(task: () => void): void {
  tasks.add(task);
}
