import { setTimeout } from '../runtime/timers.ts';
import { Refused } from './failure.ts';

/** A request of IndexedDB. */
interface Request {
  readonly result: unknown;
  readonly error: unknown;
  addEventListener(type: 'success' | 'error', listener: () => void): void;
}

/** What a request comes to; not later than `patience`, if it is given, in milliseconds. */
export function settled<T>(request: Request, patience?: number, why = ''): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result as T));
    request.addEventListener('error', () => reject(request.error as Error));
    if (patience !== undefined) setTimeout(() => reject(new Refused(409, 'busy', why)), patience).unref();
  });
}
