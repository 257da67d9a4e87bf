import { ACCEPTED } from '../disk/map/map-state.ts';
import type { SetOutcome } from '../disk/map/map-area.ts';
import type { MapOverlay } from '../disk/map/map-overlay.ts';
import { allOrNone } from '../disk/map/all-or-none.ts';
import type { TurnMap } from './store.ts';

/** The map of a turn as the coordinator's code sees it; `changed` hears of each change. */
export function turnArea(map: MapOverlay, changed: () => void): TurnMap {
  const noted = (outcome: SetOutcome): SetOutcome => {
    if (outcome.accepted) changed();
    return outcome;
  };
  return {
    get: (key) => map.get(key),
    key: (index) => map.key(index),
    keys: () => map.keys(),
    get length() {
      return map.length;
    },
    set: (key, value) => (map.get(key) === value ? map.set(key, value) : noted(map.set(key, value))),
    remove: (key) => (map.get(key) === null ? map.remove(key) : noted(map.remove(key))),
    clear: () => noted(map.clear()),
    subscribe: () => () => undefined,
    transact: (body) => {
      const result = allOrNone(map, () => body(map));
      changed();
      return { outcome: ACCEPTED, result, steps: [] };
    },
  };
}
