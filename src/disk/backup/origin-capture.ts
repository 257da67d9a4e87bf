import path from 'node:path';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { delay, wallClock } from '../../runtime/timers.ts';
import type { Shared } from '../journal/lockfile.ts';
import { LockTable } from '../locks/table.ts';
import { isDead } from './dead-names.ts';
import { agree } from './agree.ts';
import { CaptureContext, type CaptureCode, type Previous } from './capture-context.ts';
import { Draft } from './draft.ts';
import { isDirectoryAt, namesIn } from './entries.ts';
import { isJournal } from './journal-part.ts';
import { Moved, type Part } from './part.ts';
import { PlaceCapture } from './place-capture.ts';
import { nothingTaken, type Taken } from './taken.ts';

/** How often an origin is begun again that was changed underfoot; each time but the first nobody changes its files. */
const ATTEMPTS = 8;

/** How deep below an origin there are buckets, and what is like them. */
const DEPTH = 3;

export interface CaptureOptions {
  /** Where drafts are made, on the same disk. */
  readonly workshop: string;
  readonly foldsNames: boolean;
  readonly shared: Shared | undefined;
  readonly code: CaptureCode;
  readonly previous: Previous;
  readonly detach: <T>(body: () => T) => T;
}

/** An origin as it was at one moment, and where its content is until the draft is removed. */
export interface Captured {
  readonly taken: Taken;
  readonly draft: Draft;
}

/**
 * Takes an origin as it is at one moment, while its users go on:
 *
 * 1. Nobody changes files by name. First it is tried whether anybody does; then operations are kept waiting, which
 *    takes a look at each file, and as long as what is written in place is being copied.
 * 2. What has changed gets a second name, for then it stays as it is.
 * 3. A moment is found at which all journals and databases are where they are, and files are as they were copied.
 * 4. All go on; journals are read up to where they were, and databases as they were.
 *
 * @throws Moved where it was changed too often; HoldfastError, the operating system's error
 */
export async function captureOrigin(directory: string, options: CaptureOptions): Promise<Captured> {
  for (let attempt = 1; ; attempt += 1) {
    const draft = new Draft(options.workshop);
    try {
      return { taken: await attemptAt(directory, draft, attempt > 1, options), draft };
    } catch (error) {
      draft.remove();
      if (!(error instanceof Moved) || attempt === ATTEMPTS) throw error;
      await delay(attempt);
    }
  }
}

async function attemptAt(directory: string, draft: Draft, isHeld: boolean, options: CaptureOptions): Promise<Taken> {
  const { code, previous, foldsNames } = options;
  const taken = nothingTaken();
  const context = new CaptureContext({ code, previous, draft, taken, foldsNames, now: wallClock() });
  const places = placesIn(directory, '').map((relative) => new PlaceCapture(path.join(directory, relative), relative, context));
  try {
    for (const place of places) await place.open();
    const find = async (): Promise<void> => {
      const guards: Part[] = [];
      for (const place of places) guards.push(...(await place.takeFiles(isHeld)));
      const link = (): void => places.forEach((place) => place.linkResponses());
      taken.moment = await agree([...places.flatMap((place) => place.parts()), ...guards], wallClock, link);
      link();
    };
    await (isHeld ? whileHeld(places.filter(({ hasLocks }) => hasLocks), options, find) : find());
    for (const place of places) await place.finish();
    takeFacts(directory, context);
    return taken;
  } finally {
    for (const place of places) await place.close();
  }
}

/** Runs `body` while operations on files wait, in all of the places. */
async function whileHeld([place, ...others]: readonly PlaceCapture[], options: CaptureOptions, body: () => Promise<void>): Promise<void> {
  if (place === undefined) return await body();
  const { foldsNames, shared, detach } = options;
  const { directory } = place;
  const ensure = (): void => {
    if (!isDirectoryAt(directory)) throw new Moved(directory);
  };
  const table = new LockTable({ path: directory, ensure }, { shared, foldsNames: () => foldsNames, detach, keenMs: 1000 });
  try {
    await table.operate({ operation: 'hold', kind: 'directory', source: [] }, async () => {
      await whileHeld(others, options, body);
      return { changed: false, value: undefined };
    });
  } catch (error) {
    // It was replaced, or this process was paused for so long that others went on.
    throw error instanceof HoldfastError && error.code === 'session-lost' ? new Moved(directory) : error;
  } finally {
    await table.close();
  }
}

/** The paths, relative to an origin, of its buckets and of what is like them. */
function placesIn(origin: string, relative: string, depth = 0): string[] {
  const names = namesIn(path.join(origin, relative)).filter((name) => !name.startsWith('.') && !isDead(name));
  const isPlace = depth > 0 && ['local-storage', 'locks'].some((name) => names.includes(name) && isJournal(path.join(origin, relative, name)));
  if (isPlace) return [relative];
  if (depth === DEPTH) return [];
  return names.flatMap((name) => placesIn(origin, relative === '' ? name : `${relative}/${name}`, depth + 1));
}

/** The origin's own file, and any other beside its buckets. */
function takeFacts(directory: string, context: CaptureContext): void {
  context.walk().takeFile(path.join(directory, 'origin.json'), 'origin.json');
}
