import { hasCoordinators, surveyCoordinators, type CoordinatorSurvey } from '../../disk/coordinator/survey.ts';
import { unlockedVault } from '../../disk/root/encrypted.ts';
import { originsOf } from '../../disk/root/origins.ts';
import type { Root } from '../../disk/root/root.ts';
import { nextTurn } from '../../runtime/timers.ts';
import { Running } from './running.ts';
import type { CoordinatorListing } from './types.ts';

/** Journals that are read before others have their turn. */
const AT_ONCE = 16;

/**
 * All coordinators of a root, or of an origin of it, in no order: what their journals say, and what those say who run
 * them. Takes nothing, changes nothing, and makes nothing.
 *
 * @throws HoldfastError journal-damaged, unknown-record, disk-failed; key-missing, key-wrong, key-pending, keys-damaged where
 * an origin is encrypted and has any
 */
export async function* listCoordinators(root: Root, origin?: string): AsyncGenerator<CoordinatorListing, void> {
  const running = await Running.of(root);
  let read = 0;
  for await (const { owner, ...survey } of coordinatorsOf(root, origin)) {
    const { name, epoch } = survey;
    yield { ...survey, owner: owner && ownerOf(owner.address, running), live: name === null ? null : running.liveOf({ ...survey, name }, epoch) };
    if ((read += 1) % AT_ONCE === 0) await nextTurn();
  }
}

async function* coordinatorsOf(root: Root, only?: string): AsyncGenerator<CoordinatorSurvey, void> {
  for (const place of originsOf(root)) {
    if ((only !== undefined && place.origin !== only) || !hasCoordinators(place.path)) continue;
    const vault = await unlockedVault(root, place.path, place.origin, 'its coordinators cannot be read');
    yield* surveyCoordinators(place, vault ?? null);
  }
}

function ownerOf(address: string, running: Running): CoordinatorListing['owner'] {
  return { address, region: null, ...(running.at(address) ?? { process: null, answers: false }) };
}
