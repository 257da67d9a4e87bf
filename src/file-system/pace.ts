import { setImmediate } from 'node:timers';

/** How many operations may follow each other before the event loop turns: some milliseconds' worth. */
const OPERATIONS_PER_TURN = 64;

let left = OPERATIONS_PER_TURN;
let pause: Promise<void> | null = null;

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => {
      left = OPERATIONS_PER_TURN;
      pause = null;
      resolve();
    });
  });
}

/**
 * Counts an operation, and gives what it has to wait for: nothing, or the next turn of the event loop.
 *
 * Small operations are system calls of this thread, which end sooner than another thread could be asked. A loop that
 * awaits one after the other, or pipes small chunks, would then never let timers and sockets have their turn. The wait
 * comes after what was asked for, before the answer, so that it changes no order. Whoever ends during a pause waits
 * for the same turn.
 *
 * @param operations less than 1 for what costs less than a small operation
 */
export function pace(operations = 1): Promise<void> | null {
  left -= operations;
  if (left < 0) pause ??= nextTurn();
  return pause;
}
