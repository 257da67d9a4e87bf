import type { MapListener } from './map-area.ts';
import type { MapState } from './map-state.ts';

/** Tells one change for each key that differs, where nobody can tell any more who wrote. */
export function differences(before: ReadonlyMap<string, string>, now: MapState, url: string, tell: MapListener): void {
  for (const [key, oldValue] of before) {
    if (now.get(key) === undefined) tell({ key, oldValue, newValue: null, url, session: 0 });
  }
  for (const [key, newValue] of now.entries()) {
    const oldValue = before.get(key) ?? null;
    if (oldValue !== newValue) tell({ key, oldValue, newValue, url, session: 0 });
  }
}
