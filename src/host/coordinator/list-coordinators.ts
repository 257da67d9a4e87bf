import type { Activity } from '../../coordinator/activity.ts';
import { askActivities } from '../../coordinator/sockets/ask-activities.ts';
import type { Listener } from '../../coordinator/sockets/ask-activities.ts';
import { hasCoordinators, surveyCoordinators, type CoordinatorSurvey } from '../../disk/coordinator/survey.ts';
import { unlockedVault } from '../../disk/root/encrypted.ts';
import { originsOf } from '../../disk/root/origins.ts';
import type { Root } from '../../disk/root/root.ts';
import { nextTurn } from '../../runtime/timers.ts';
import { socketsOf } from './transport.ts';
import type { CoordinatorListing } from './types.ts';

/** How long whoever runs coordinators has to say what they do, in milliseconds. */
const PATIENCE_MS = 1000;

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
  const listeners = new Map((await askActivities(socketsOf(root), PATIENCE_MS)).map((listener) => [listener.address, listener]));
  const live = new Map<string, Activity>();
  for (const { activities } of listeners.values()) for (const activity of activities ?? []) remember(live, activity);
  let read = 0;
  for await (const { owner, ...survey } of coordinatorsOf(root, origin)) {
    const { className, name, epoch } = survey;
    const activity = name === null ? undefined : live.get(idOf({ origin: survey.origin, className, name }));
    // One of an earlier epoch has been deposed, and does not know it yet.
    const isCurrent = activity !== undefined && activity.epoch >= epoch;
    yield { ...survey, owner: owner && ownerOf(owner.address, listeners), live: isCurrent ? activityOf(activity) : null };
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

const idOf = ({ origin, className, name }: { readonly origin: string; readonly className: string; readonly name: string }): string => JSON.stringify([origin, className, name]);

/** Of two, the later one. */
function remember(live: Map<string, Activity>, activity: Activity): void {
  const id = idOf(activity);
  if (activity.epoch > (live.get(id)?.epoch ?? 0)) live.set(id, activity);
}

function ownerOf(address: string, listeners: ReadonlyMap<string, Listener>): CoordinatorListing['owner'] {
  const listener = listeners.get(address);
  return { address, process: listener?.process ?? null, answers: (listener?.activities ?? null) !== null };
}

function activityOf({ usedAt, waiting, running, failures }: Activity): CoordinatorListing['live'] {
  return { usedAt, waiting, running, failures };
}
