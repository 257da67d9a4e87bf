import process from 'node:process';
import { runtime } from './runtime.ts';

/*
 * What a browser does when a callback of the platform has ended: the microtasks run before anything else does. Taken
 * from the runtime once, when this is loaded, as in timers.ts.
 */

// eslint-disable-next-line no-restricted-globals -- the one place
const queue: (callback: () => void) => void = queueMicrotask;
// eslint-disable-next-line no-restricted-properties -- the one place
const { nextTick } = process;

/**
 * Runs what is waiting in the microtask queue, and in that of `process.nextTick`; to be called where no code of a program
 * is on the stack. Null on Deno, which has no way to do that: there they run when the task has ended.
 * https://html.spec.whatwg.org/#perform-a-microtask-checkpoint
 */
export const runMicrotasks: (() => void) | null = findCheckpoint();

function findCheckpoint(): (() => void) | null {
  if (runtime === 'node') return withBehind(Reflect.get(process, '_tickCallback') as () => void);
  if (runtime === 'deno') return null;
  return (process.getBuiltinModule('bun:jsc') as unknown as { drainMicrotasks(): void }).drainMicrotasks;
}

/** What comes behind the microtasks that are run here next. */
const behind: (() => void)[] = [];
let isCertain = false;

function withBehind(run: () => void): () => void {
  return () => {
    run();
    if (behind.length > 0) for (const callback of behind.splice(0)) callback();
  };
}

/** Runs tasks, behind each of which the microtasks are run here: then nothing has to be queued for what comes after them. */
export function withCheckpoints(tasks: () => void): void {
  isCertain = runtime === 'node';
  try {
    tasks();
  } finally {
    isCertain = false;
    // What has thrown has kept it from being run.
    for (const callback of behind.splice(0)) ticked(callback);
  }
}

/** Behind all microtasks that this task will have, and before any other task. */
export const afterMicrotasks: (callback: () => void) => void = runtime === 'bun' ? (callback) => ticked(() => ticked(callback)) : soon;

function soon(callback: () => void): void {
  if (isCertain) behind.push(callback);
  else ticked(callback);
}

/** On Bun one round is not enough: what is queued in it may run before microtasks that were there. */
function ticked(callback: () => void): void {
  queue(() => nextTick(callback));
}
