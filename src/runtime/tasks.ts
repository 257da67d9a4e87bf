import { runMicrotasks } from './microtasks.ts';
import { setImmediate, uptime } from './timers.ts';

/*
 * Tasks of the platform, such as those that fire the events of requests. https://html.spec.whatwg.org/#queue-a-task
 *
 * - They run in the order in which they were queued, each when the microtasks of the one before have run.
 * - Some run in one turn of the event loop, also those that they queue: a turn costs more than most of them. But no more
 *   than MOST, and after every LOOK of them none more once LONGEST_MS are over: others have their turns too. Whoever
 *   queues many that are long takes care that LOOK of them together are not.
 */

const MOST = 32;
const LONGEST_MS = 2;

/** A look at the clock costs as much as half of a small task. */
const LOOK = 4;

const waiting: (() => void)[] = [];
let isUnderWay = false;

/** Runs `task` soon. Where nothing can run the microtasks in between, each has a turn of its own. */
export const queueTask: (task: () => void) => void = runMicrotasks === null ? (task) => void setImmediate(task) : queue;

function queue(task: () => void): void {
  waiting.push(task);
  if (!isUnderWay) begin();
}

function begin(): void {
  isUnderWay = true;
  setImmediate(runSome);
}

function runSome(): void {
  const end = uptime() + LONGEST_MS;
  let done = 0;
  try {
    do {
      waiting[done++]?.();
      runMicrotasks?.();
    } while (done < waiting.length && done < MOST && (done % LOOK > 0 || uptime() < end));
  } finally {
    waiting.splice(0, done);
    isUnderWay = false;
    if (waiting.length > 0) begin();
  }
}
