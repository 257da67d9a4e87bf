import { setImmediate, uptime } from '../runtime/timers.ts';


/** How many operations may follow each other before the event loop turns: some milliseconds' worth on a fast disk. */
const OPERATIONS_PER_TURN = 64;
/** For how long they may on a slow one. */
const MILLISECONDS_PER_TURN = 5;

let left = OPERATIONS_PER_TURN;
let deadline = 0;
/** Resolves at the next turn of the event loop; null until the first operation of this turn. */
let turn: Promise<void> | null = null;

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => {
      left = OPERATIONS_PER_TURN;
      turn = null;
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
  if (turn === null) {
    turn = nextTurn();
    deadline = uptime() + MILLISECONDS_PER_TURN;
  }
  left -= operations;
  return left < 0 || uptime() > deadline ? turn : null;
}
