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
  if (runtime === 'node') return Reflect.get(process, '_tickCallback') as () => void;
  if (runtime === 'deno') return null;
  return (process.getBuiltinModule('bun:jsc') as unknown as { drainMicrotasks(): void }).drainMicrotasks;
}

/** Behind all microtasks that this task will have, and before any other task. */
export const afterMicrotasks: (callback: () => void) => void = runtime === 'bun' ? (callback) => ticked(() => ticked(callback)) : ticked;

/** On Bun one round is not enough: what is queued in it may run before microtasks that were there. */
function ticked(callback: () => void): void {
  queue(() => nextTick(callback));
}
