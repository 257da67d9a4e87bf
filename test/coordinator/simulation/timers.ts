/** What stands for `src/runtime/timers.ts` in a simulated world. */
import { schedule } from './schedule.ts';

interface Timer {
  stop: () => void;
  unref(): Timer;
  ref(): Timer;
}

function timer(stop: () => void): Timer {
  const self: Timer = { stop, unref: () => self, ref: () => self };
  return self;
}

export function setTimeout(callback: () => void, after = 1): Timer {
  const task = schedule.add(Math.max(1, after), callback);
  return timer(() => (task.isDone = true));
}

export function setInterval(callback: () => void, after: number): Timer {
  const self = timer(() => undefined);
  const again = (): void => {
    const task = schedule.add(after, () => {
      again();
      callback();
    });
    self.stop = () => (task.isDone = true);
  };
  again();
  return self;
}

export const setImmediate = (callback: () => void): void => void schedule.add(0, callback);
export const clearTimeout = (given: Timer): void => given.stop();
export const clearInterval = clearTimeout;
export const delay = (milliseconds: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, milliseconds));
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
export const uptime = (): number => schedule.now;
export const wallClock = (): number => schedule.now;

export function reportException(error: unknown): void {
  throw error;
}
