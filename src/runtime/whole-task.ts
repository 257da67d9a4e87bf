import { outsideContexts } from './callback-context.ts';
import { afterMicrotasks, runMicrotasks } from './microtasks.ts';
import { runtime } from './runtime.ts';

/*
 * The end of a task costs three hops through queues of the runtime, each a microsecond, where a callback is to run behind
 * its microtasks. Whoever begins a task, and has none of a program's code on the stack, can end it itself.
 */

/** What runs at the end of the task that is under way; null: no task is one of ours. */
let waiting: (() => void)[] | null = null;

/**
 * Runs a callback behind all microtasks that this task will have, and before any other task. It runs outside of all
 * asynchronous contexts, and what it leaves for the end of the task in turn needs no more hops.
 */
export function atTaskEnd(callback: () => void): void {
  if (waiting !== null) waiting.push(callback);
  else afterMicrotasks(() => outsideContexts(() => runTask(callback)));
}

/** Only there a task's microtasks run when, and as often as, they are asked to. */
const canEnd = runtime === 'node' && runMicrotasks !== null;

/**
 * Runs `body`, and all that it leaves for the end of the task, with the microtasks before each. To be called where the
 * runtime has called back, and nothing of a program is on the stack. What `body` throws, and what a program's microtasks
 * do, passes through; what is left for the end of the task runs even so.
 */
export function runTask(body: () => void): void {
  if (!canEnd || waiting !== null) return body();
  const mine: (() => void)[] = [];
  waiting = mine;
  let at = 0;
  try {
    body();
    for (;;) {
      runMicrotasks?.();
      const next = mine[at];
      if (next === undefined) return;
      at += 1;
      next();
    }
  } finally {
    waiting = null;
    for (const left of mine.slice(at)) afterMicrotasks(left);
  }
}
