import path from 'node:path';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { delay, uptime, wallClock } from '../../runtime/timers.ts';
import type { Shared } from '../journal/lockfile.ts';
import { LockTable } from '../locks/table.ts';
import { KEYS } from '../root/origin-vault.ts';
import { isDead } from './dead-names.ts';
import { agree } from './agree.ts';
import { CaptureContext, type CaptureCode, type KeysOfPlaces, type Previous } from './capture-context.ts';
import { Draft } from './draft.ts';
import { isDirectoryAt, namesIn } from './entries.ts';
import { areSame, factsOf } from './file-facts.ts';
import { isJournal } from './journal-part.ts';
import { Moved, type Part } from './part.ts';
import { PlaceCapture } from './place-capture.ts';
import { nothingTaken, type Taken } from './taken.ts';

/** How often at least, and how long, an origin is begun again that was changed underfoot; each time but the first nobody changes its files. */
const ATTEMPTS = 8;
const PATIENCE_MS = 20_000;

/** How deep below an origin there are buckets. */
const DEPTH = 2;

/** The directory of an origin's coordinators. */
const COORDINATORS = 'coordinators';

export interface CaptureOptions {
  /** Where drafts are made, on the same disk. */
  readonly workshop: string;
  readonly foldsNames: boolean;
  readonly shared: Shared | undefined;
  readonly code: CaptureCode;
  readonly previous: Previous;
  /** Undefined: the origin is not encrypted. Needed to see, and to keep, who changes files; what is taken stays encrypted. */
  readonly keysOf: KeysOfPlaces | undefined;
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
 * Its buckets are of one moment; each coordinator, of which there may be very many, is of one of its own.
 *
 * @throws Moved where it was changed too often; HoldfastError, the operating system's error
 */
export async function captureOrigin(directory: string, options: CaptureOptions): Promise<Captured> {
  for (let attempt = 1; ; attempt += 1) {
    const captured = await captureWithKeys(directory, { ...options, keys: factsOf(path.join(directory, KEYS)) });
    if (captured !== null) return captured;
    if (attempt === ATTEMPTS) throw new Moved(path.join(directory, KEYS));
  }
}

type WithKeys = CaptureOptions & Pick<CaptureContext, 'keys'>;

/** Null: its keys were changed meanwhile, and may not be those of what was taken. */
async function captureWithKeys(directory: string, options: WithKeys): Promise<Captured | null> {
  const draft = new Draft(options.workshop);
  try {
    const taken = await capture(() => bucketsIn(directory, '', 0), directory, draft, options);
    for (const coordinator of coordinatorsIn(directory)) {
      draft.touch();
      add(taken, await capture(() => placesOf(directory, coordinator), directory, draft, options));
    }
    const isSame = takeFacts(directory, new CaptureContext({ ...options, draft, taken, now: wallClock() }));
    if (!isSame) draft.remove();
    return isSame ? { taken, draft } : null;
  } catch (error) {
    draft.remove();
    throw error;
  }
}

/** Takes places of one moment; begun again where something was changed underfoot. */
async function capture(places: () => string[], directory: string, draft: Draft, options: WithKeys): Promise<Taken> {
  const end = uptime() + PATIENCE_MS;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await attemptAt(places(), directory, draft, { ...options, isHeld: attempt > 1 });
    } catch (error) {
      if (!(error instanceof Moved) || (attempt >= ATTEMPTS && uptime() > end)) throw error;
      await delay(attempt);
    }
  }
}

async function attemptAt(relatives: readonly string[], directory: string, draft: Draft, options: WithKeys & { readonly isHeld: boolean }): Promise<Taken> {
  const { isHeld } = options;
  const taken = nothingTaken();
  const context = new CaptureContext({ ...options, draft, taken, now: wallClock() });
  const places = relatives.map((relative) => new PlaceCapture(path.join(directory, relative), relative, context));
  try {
    for (const place of places) await place.open();
    const find = async (): Promise<void> => {
      const guards: Part[] = [];
      for (const place of places) guards.push(...(await place.takeFiles(isHeld)));
      const prepare = (): void => places.forEach((place) => place.prepare());
      taken.moment = await agree([...places.flatMap((place) => place.parts()), ...guards], wallClock, prepare);
      for (const place of places) place.linkResponses();
    };
    await (isHeld ? whileHeld(places.filter(({ hasLocks }) => hasLocks), options, find) : find());
    for (const place of places) await place.finish();
    return taken;
  } finally {
    for (const place of places) await place.close();
  }
}

function add(to: Taken, { places, directories, files, marks, apart, leftOut }: Taken): void {
  for (const place of places) to.places.push(place);
  for (const each of directories) to.directories.push(each);
  for (const file of files) to.files.push(file);
  for (const [at, mark] of marks) to.marks.set(at, mark);
  for (const at of apart) to.apart.push(at);
  for (const [at, why] of leftOut) to.leftOut.set(at, why);
}

/** Runs `body` while operations on files wait, in all of the places. */
async function whileHeld([place, ...others]: readonly PlaceCapture[], options: CaptureOptions, body: () => Promise<void>): Promise<void> {
  if (place === undefined) return await body();
  const { foldsNames, shared, detach } = options;
  const { directory, encryption } = place;
  const ensure = (): void => {
    if (!isDirectoryAt(directory)) throw new Moved(directory);
  };
  const table = new LockTable({ path: directory, ensure, encryption }, { shared, foldsNames: () => foldsNames, detach, keenMs: 1000 });
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

/** What a place has a journal of, at least. */
const signs = ['local-storage', 'locks', 'turns'];

function isPlace(directory: string): boolean {
  return isDirectoryAt(directory) && signs.some((name) => isJournal(path.join(directory, name)));
}

/** The paths, relative to an origin, of its buckets: its default one, and those in `buckets/`. */
function bucketsIn(origin: string, relative: string, depth: number): string[] {
  if (depth > 0 && isPlace(path.join(origin, relative))) return [relative];
  if (depth === DEPTH) return [];
  const names = namesIn(path.join(origin, relative)).filter((name) => !name.startsWith('.') && !isDead(name) && (depth > 0 || name !== COORDINATORS));
  return names.flatMap((name) => bucketsIn(origin, relative === '' ? name : `${relative}/${name}`, depth + 1));
}

/** The same of its coordinators: one directory for each, in one for each class. */
function* coordinatorsIn(origin: string): Iterable<string> {
  for (const className of namesIn(path.join(origin, COORDINATORS))) {
    for (const name of namesIn(path.join(origin, COORDINATORS, className))) if (!name.startsWith('.')) yield `${COORDINATORS}/${className}/${name}`;
  }
}

/** A coordinator's journal, and the bucket that it may have within. */
function placesOf(origin: string, coordinator: string): string[] {
  return [coordinator, `${coordinator}/storage`].filter((relative) => isPlace(path.join(origin, relative)));
}

/** The origin's own files: what it is, and its keys. @returns false: they are others than when it was begun */
function takeFacts(directory: string, context: CaptureContext): boolean {
  context.walk().takeFile(path.join(directory, 'origin.json'), 'origin.json');
  const now = factsOf(path.join(directory, KEYS));
  if (now === null || context.keys === null) return now === context.keys;
  context.walk().takeFile(path.join(directory, KEYS), KEYS);
  return areSame(now, context.keys) && areSame(factsOf(path.join(directory, KEYS)) ?? { ...now, ino: '' }, now);
}
