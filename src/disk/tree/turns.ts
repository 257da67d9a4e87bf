import timers from 'node:timers';

/** Lets other work run; resolves in a later turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    timers.setImmediate(resolve);
  });
}
