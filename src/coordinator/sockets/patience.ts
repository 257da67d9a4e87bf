import { outsideContexts } from '../../runtime/callback-context.ts';
import { clearInterval, setInterval, type Timer } from '../../runtime/timers.ts';

/** Of a time that is waited for, so many parts; each ends in a turn of its own. */
const PARTS = 5;

/**
 * Calls back once, after so many milliseconds in which this realm had its turns. Of a time in which its loop stood still,
 * or all of its process, only a part counts: what others have sent meanwhile is read before the next part has passed.
 *
 * @returns ends the waiting
 */
export function whenPatienceEnds(milliseconds: number, onEnd: () => void): () => void {
  let left = PARTS;
  const timer: Timer = outsideContexts(() =>
    setInterval(() => {
      left -= 1;
      if (left > 0) return;
      clearInterval(timer);
      onEnd();
    }, milliseconds / PARTS),
  );
  return () => clearInterval(timer);
}
