import path from 'node:path';
import { STORAGE } from '../../disk/coordinator/coordinator-place.ts';
import { TURNS } from '../../disk/coordinator/owned-journal.ts';
import { OwnedMachine } from '../../disk/coordinator/owned-machine.ts';
import { coordinatorPlaces } from '../../disk/coordinator/survey.ts';
import { isDirectory } from '../../disk/directories.ts';
import { pathOfOrigin } from '../../disk/maintenance/replace-origin.ts';
import { unlockedVault } from '../../disk/root/encrypted.ts';
import type { Root } from '../../disk/root/root.ts';
import { readNewest } from '../../disk/survey/read-newest.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { exportContents, exportEntries } from './export-bucket.ts';
import type { BucketHead } from './layout.ts';
import type { Pieces, TarWriter } from './tar-writer.ts';

/**
 * The coordinators of an origin, below `at`: of each its map and its alarm as of one moment, and what is in its bucket.
 * What became of calls is not told: whoever made them is elsewhere.
 */
export async function* exportCoordinators(to: TarWriter, at: string, root: Root, origin: string, foldsNames: boolean): Pieces {
  const directory = pathOfOrigin(root, origin);
  const vault = (await unlockedVault(root, directory, origin, 'its coordinators cannot be read')) ?? null;
  const places = [...coordinatorPlaces(directory, vault)].sort((a, b) => (a.path < b.path ? -1 : 1));
  let number = 0;
  for (const { className, name, path: place, keys, storageKeys } of places) {
    const machine = readNewest(path.join(place, TURNS), () => new OwnedMachine(), keys?.journal(TURNS));
    if (machine === null) continue;
    if (name === null) throw new HoldfastError('journal-damaged', `The name of the coordinator in ${place} is not known: it cannot be exported.`);
    const below = `${at}/coordinator-${number++}`;
    const head: BucketHead = { name, persisted: false, coordinator: { className, alarm: machine.alarm } };
    yield* to.whole(`${below}/bucket.json`, `${JSON.stringify(head)}\n`);
    yield* exportEntries(to, below, machine.map.entries());
    const nested = path.join(place, STORAGE);
    if (isDirectory(nested)) yield* exportContents(to, below, { place: { path: nested, encryption: storageKeys, space: root.space, ensure: () => undefined }, foldsNames });
  }
}
