import { isObject } from '../../runtime/brands.ts';
import type { Hub } from '../../sync/hub.ts';
import { bad, givenOptions } from '../option-checks.ts';
import type { HubPosition, RestoreOptions } from './types.ts';

/** A place in a hub's orders that an origin is to be brought to. */
export interface Goal {
  readonly hub: Hub;
  readonly origin: string;
  readonly position: HubPosition;
  /** For an origin that is encrypted. */
  readonly encryption: RestoreOptions['encryption'];
}

/** Null where `at` is a time. @throws HoldfastError bad-option */
export function hubPositionIn(at: RestoreOptions['at']): HubPosition | null {
  if (!isObject(at) || 'getTime' in at) return null;
  const given = givenOptions<HubPosition>(at, ['position', 'filesPosition'], "Option 'at'");
  const { position, filesPosition } = given;
  if (position === undefined && filesPosition === undefined) throw bad("Option 'at' has neither 'position' nor 'filesPosition'.");
  for (const each of [position, filesPosition]) {
    if (each !== undefined && !(Number.isSafeInteger(each) && each >= 0)) throw bad(`A position in option 'at' is a whole number from 0 on, not '${String(each)}'.`);
  }
  return given;
}

/** What a position needs, and what it excludes. @throws HoldfastError bad-option */
export function goalOf(position: HubPosition, { hub, replace, encryption }: RestoreOptions, origin: string | null): Goal {
  if (hub === undefined) throw bad("A position in option 'at' needs 'hub', whose order it is of.");
  if (origin === null) throw bad("A position in option 'at' is one of an origin: give 'origin' too.");
  if (replace === true) throw bad("A position of a hub is restored beside: in the place of what is there the hub would give it again what came later.");
  return { hub, origin, position, encryption };
}
