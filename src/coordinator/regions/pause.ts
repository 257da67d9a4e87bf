import { clearTimeout, setTimeout } from '../../runtime/timers.ts';

/** Resolves after so many milliseconds, and keeps no process alive. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, milliseconds).unref());
}

/** What `work` gives; or what `late` does, where that takes longer than so many milliseconds. What comes later is ignored. */
export function within<Result>(milliseconds: number, work: Promise<Result>, late: () => Result): Promise<Result> {
  return new Promise((resolve, reject) => {
    const tooLate = (): void => {
      try {
        resolve(late());
      } catch (error) {
        reject(error as Error);
      }
    };
    const timer = setTimeout(tooLate, milliseconds).unref();
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
