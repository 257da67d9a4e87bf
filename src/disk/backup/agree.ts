import { delay, nextTurn, uptime } from '../../runtime/timers.ts';
import { Moved, type Part } from './part.ts';

/** How long a moment is looked for in which all but one stand still, in milliseconds; and in how many turns at least, for however long this process stands still itself. */
const PATIENCE_MS = 2_000;
const LEAST_TURNS = 10;

/** Tries within one turn of the event loop. */
const TRIES = 200;

/**
 * Finds one moment of all parts: the first one is looked at while the others are seen to be the same before and after.
 * So one part may change as fast as it likes, such as the journal of `localStorage`, and of the others it takes some
 * microseconds in which they rest.
 *
 * @param prepare - called right before the tries of one turn of the event loop.
 * @returns when that was, as `now` says
 * @throws Moved
 */
export async function agree(parts: readonly Part[], now: () => number, prepare: () => void): Promise<number> {
  const end = uptime() + PATIENCE_MS;
  for (let turns = 0; turns < LEAST_TURNS || uptime() < end; turns++, await pause()) {
    prepare();
    const moment = tryOften(parts, now);
    if (moment !== null && parts.every((part) => part.settle())) return moment;
  }
  throw new Moved('One part after another');
}

function tryOften(parts: readonly Part[], now: () => number): number | null {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const moment = look(parts, now);
    if (moment !== null) return moment;
  }
  return null;
}

function look([first, ...others]: readonly Part[], now: () => number): number | null {
  const before = others.map((part) => part.position());
  first?.position();
  const moment = now();
  return others.every((part, index) => part.position() === before[index]) ? moment : null;
}

async function pause(): Promise<void> {
  await nextTurn();
  await delay(1);
}
