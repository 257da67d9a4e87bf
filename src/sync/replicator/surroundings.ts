import crypto from 'node:crypto';
import { clearTimeout, nextTurn, setImmediate, setTimeout, wallClock } from '../../runtime/timers.ts';

/** All that a replicator takes from the world besides its hub and its journal, so that a test can be that world. */
export interface Surroundings {
  /** Milliseconds since 1970. A clock that is off or jumps spoils what is shown of times, nothing else. */
  now(): number;
  /** Calls back once, after that many milliseconds; keeps no process alive. Returns what calls it off. */
  after(milliseconds: number, callback: () => void): () => void;
  /** Lets everybody else have his turn. */
  turn(): Promise<void>;
  /** In [0, 1). */
  random(): number;
  /** Unpredictable bytes: names of incarnations are made of them. */
  randomBytes(length: number): Uint8Array;
}

export const systemSurroundings: Surroundings = {
  now: () => wallClock(),
  after(milliseconds, callback) {
    let isOff = false;
    // A thread that was held up sees what has come meanwhile before it says that nothing came.
    const timer = setTimeout(() => void setImmediate(() => isOff || callback()), milliseconds);
    timer.unref();
    return () => {
      isOff = true;
      clearTimeout(timer);
    };
  },
  turn: () => nextTurn(),
  random: () => Math.random(),
  randomBytes: (length) => crypto.randomBytes(length),
};
