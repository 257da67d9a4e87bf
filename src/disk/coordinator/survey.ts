import fs from 'node:fs';
import path from 'node:path';
import { decodeName, decodeSpelling } from '../names/name.ts';
import { originsOf } from '../root/origins.ts';
import type { Root } from '../root/root.ts';
import { readNewest } from '../survey/read-newest.ts';
import { COORDINATORS, SPELLING } from './coordinator-place.ts';
import { TURNS } from './owned-journal.ts';
import { OwnedMachine } from './owned-machine.ts';
import type { Alarm, Owner } from './owned-records.ts';

/** A coordinator of a root, as its journal has it. */
export interface CoordinatorSurvey {
  readonly origin: string;
  readonly className: string;
  /** Null: it is too long to be read back from its directory, and its spelling is not beside it. */
  readonly name: string | null;
  readonly path: string;
  readonly epoch: number;
  readonly owner: Owner | null;
  readonly alarm: Alarm | null;
  /** Of its localStorage: bytes of UTF-16, and items. */
  readonly bytes: number;
  readonly items: number;
}

/**
 * The coordinators of a root, or of one origin of it, in no order; those that come or go meanwhile may be there or not.
 * Reads only, and each when it is asked for: a journal whole.
 *
 * @throws HoldfastError journal-damaged, unknown-record, disk-failed
 */
export function* coordinatorsOf(root: Root, only?: string): Generator<CoordinatorSurvey, void> {
  for (const { origin, path: place } of originsOf(root)) {
    if (only !== undefined && origin !== only) continue;
    for (const each of coordinatorPlaces(place)) yield* surveyOf({ origin, ...each });
  }
}

/** Where the coordinators of an origin are, by the names of their directories. */
export function* coordinatorPlaces(origin: string): Generator<Pick<CoordinatorSurvey, 'className' | 'name' | 'path'>, void> {
  for (const directory of directoriesIn(path.join(origin, COORDINATORS))) {
    const className = nameOf(directory);
    if (className === null) continue;
    for (const each of directoriesIn(directory)) yield { className, name: nameOf(each), path: each };
  }
}

function* surveyOf(whose: Pick<CoordinatorSurvey, 'origin' | 'className' | 'name' | 'path'>): Generator<CoordinatorSurvey, void> {
  const machine = readNewest(path.join(whose.path, TURNS), () => new OwnedMachine());
  if (machine === null) return;
  const { epoch, owner, alarm, map } = machine;
  yield { ...whose, epoch, owner, alarm, bytes: map.bytes, items: map.size };
}

function directoriesIn(directory: string): string[] {
  try {
    const entries = fs.readdirSync(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => path.join(directory, entry.name));
  } catch {
    return [];
  }
}

function nameOf(directory: string): string | null {
  const component = path.basename(directory);
  const decoded = decodeName(component, true);
  if (decoded === null) return null;
  return 'name' in decoded ? decoded.name : writtenName(directory, component);
}

function writtenName(directory: string, component: string): string | null {
  try {
    return decodeSpelling(component, fs.readFileSync(path.join(directory, SPELLING), 'utf8'), true);
  } catch {
    return null;
  }
}
