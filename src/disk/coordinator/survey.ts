import fs from 'node:fs';
import path from 'node:path';
import type { PlaceKeys } from '../place.ts';
import type { OriginVault } from '../root/origin-vault.ts';
import type { OriginPlace } from '../root/origins.ts';
import { readNewest } from '../survey/read-newest.ts';
import { COORDINATORS, namesWith, SPELLING } from './coordinator-names.ts';
import { STORAGE } from './coordinator-place.ts';
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

/** The directory of a coordinator. */
export interface CoordinatorDirectory {
  /** Below the origin's, with `/`. */
  readonly directory: string;
  readonly path: string;
  /** Whether it is called as before the origin was encrypted. */
  readonly isUnmoved: boolean;
  /** Undefined: it is not encrypted, or nobody has the keys. */
  readonly keys: PlaceKeys | undefined;
  /** Those of the bucket within. */
  readonly storageKeys: PlaceKeys | undefined;
}

/** A coordinator, by its directory. */
export interface FoundCoordinator extends CoordinatorDirectory, Pick<CoordinatorSurvey, 'className' | 'name'> {}

/**
 * The coordinators of an origin, in no order; those that come or go meanwhile may be there or not. Reads only, and each
 * when it is asked for: a journal whole.
 *
 * @param vault - the origin's keys; null: it is not encrypted
 * @throws HoldfastError journal-damaged, unknown-record, disk-failed; as a vault's `require`
 */
export function* surveyCoordinators({ origin, path: place }: OriginPlace, vault: OriginVault | null): Generator<CoordinatorSurvey, void> {
  for (const { className, name, path: at, keys } of coordinatorPlaces(place, vault)) {
    const machine = readNewest(path.join(at, TURNS), () => new OwnedMachine(), keys?.journal(TURNS) ?? null);
    if (machine === null) continue;
    const { epoch, owner, alarm, map } = machine;
    yield { origin, className, name, path: at, epoch, owner, alarm, bytes: map.bytes, items: map.size };
  }
}

/**
 * Where the coordinators of an origin are, by the names of their directories. `vault`: its keys; without those of an
 * encrypted origin, they are called as their directories are.
 *
 * @throws HoldfastError as a vault's `require`
 */
export function* coordinatorPlaces(origin: string, vault: OriginVault | null): Generator<FoundCoordinator, void> {
  const names = namesWith(vault);
  for (const each of coordinatorDirectories(origin, vault)) {
    const [, classComponent = '', component = ''] = each.directory.split('/');
    const className = names.classOf(classComponent);
    if (className !== null) yield { ...each, className, name: names.nameOf(classComponent, component, () => spellingIn(each.path)) };
  }
}

/** The same, whatever they are called. @throws as {@link coordinatorPlaces} */
export function* coordinatorDirectories(origin: string, vault: OriginVault | null): Generator<CoordinatorDirectory, void> {
  for (const className of directoriesIn(path.join(origin, COORDINATORS))) {
    for (const name of directoriesIn(path.join(origin, COORDINATORS, className))) {
      const directory = `${COORDINATORS}/${className}/${name}`;
      const at = path.join(origin, directory);
      const settled = namesWith(vault).settled(directory, () => spellingIn(at));
      yield { directory, path: at, isUnmoved: settled !== directory, keys: vault?.place(settled), storageKeys: vault?.place(`${settled}/${STORAGE}`) };
    }
  }
}

/** Whether there may be any. */
export function hasCoordinators(origin: string): boolean {
  return fs.existsSync(path.join(origin, COORDINATORS));
}

function directoriesIn(directory: string): string[] {
  try {
    const entries = fs.readdirSync(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch {
    return [];
  }
}

/** What is beside a coordinator's journal where its name is too long for its directory. */
export function spellingIn(directory: string): string | null {
  try {
    return fs.readFileSync(path.join(directory, SPELLING), 'utf8');
  } catch {
    return null;
  }
}
