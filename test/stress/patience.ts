import { setTimeout as pause } from 'node:timers/promises';

/** Whether something comes within so many milliseconds. */
export async function settles(awaited: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const end = new AbortController();
  const timeout = pause(milliseconds, false, { signal: end.signal }).catch(() => false);
  const settled = await Promise.race([awaited.then(() => true), timeout]);
  end.abort();
  return settled;
}
