import { isThenable } from '../../runtime/brands.ts';
import type { MapOverlay } from './map-overlay.ts';

/**
 * Calls `body`, whose steps on the overlay stay if it returns, and are undone if it throws.
 *
 * @throws what `body` throws; TypeError where it returns a promise
 */
export function allOrNone<Result>(overlay: MapOverlay, body: () => Result): Result {
  const before = overlay.mark();
  try {
    return atOnce(body());
  } catch (error) {
    overlay.rollBack(before);
    throw error;
  }
}

/** What `body` has returned, unless that is still to come. */
export function atOnce<Result>(result: Result): Result {
  if (!isThenable(result)) return result;
  // Nobody else will look at it.
  Promise.resolve(result).catch(() => undefined);
  throw new TypeError(
    'transaction() takes a function that awaits nothing: others would have to wait for it. Nothing was stored. Await what is needed before, or hold a lock: navigator.locks.request().',
  );
}
