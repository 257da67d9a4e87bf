import { setImmediate, uptime } from '../runtime/timers.ts';


/** How many tasks may follow each other before the event loop turns, and for how long: each may run a callback. */
const TASKS_PER_TURN = 256;
const MILLISECONDS_PER_TURN = 4;

const waiting: (() => void)[] = [];
/** When this turn's time is over; null where no task has begun one. */
let deadline: number | null = null;
let left = 0;

function beginTurn(): void {
  setImmediate(nextTurn);
  deadline = uptime() + MILLISECONDS_PER_TURN;
  left = TASKS_PER_TURN;
}

function hasTime(): boolean {
  return left > 0 && deadline !== null && uptime() < deadline;
}

function nextTurn(): void {
  deadline = null;
  if (waiting.length === 0) return;
  beginTurn();
  let done = 0;
  try {
    // At least one, however little time there is.
    do {
      left--;
      waiting[done++]?.();
    } while (done < waiting.length && hasTime());
  } finally {
    waiting.splice(0, done);
  }
}

/**
 * Runs a task of this realm's lock task queue: at once, or in a later turn of the event loop, after those that were
 * there before, when this turn has had its share. So neither thousands of requests, nor their aborts, nor a chain of
 * callbacks that hand a lock on keeps timers and sockets from their turn. https://w3c.github.io/web-locks/#lock-task-queue
 */
export function runLockTask(task: () => void): void {
  if (deadline === null) beginTurn();
  if (waiting.length > 0 || !hasTime()) {
    waiting.push(task);
    return;
  }
  left--;
  task();
}
