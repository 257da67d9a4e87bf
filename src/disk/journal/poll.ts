import { type Timer, clearInterval, setInterval } from '../../runtime/timers.ts';


const INTERVAL_MILLISECONDS = 1000;

const looks = new Set<() => void>();
let timer: Timer | undefined;

/** Calls `look` once a second, for all of the realm from one timer that keeps no process alive. Returns what ends it. */
export function poll(look: () => void): () => void {
  looks.add(look);
  timer ??= setInterval(lookAll, INTERVAL_MILLISECONDS).unref();
  return () => {
    looks.delete(look);
    if (looks.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function lookAll(): void {
  for (const look of looks) look();
}
