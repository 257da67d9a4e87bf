import type { PayloadReader } from '../journal/payload-reader.ts';
import type { PayloadWriter } from '../journal/payload-writer.ts';
import { damaged } from './map-records.ts';
import type { MapState } from './map-state.ts';

/** One step of a batch. Without a key: all pairs go; without a value: the key's pair goes. */
export interface MapStep {
  readonly key: string | null;
  readonly value: string | null;
}

const KEY_WIDE = 1;
const VALUE_WIDE = 2;
const VALUE = 4;
const ALL = 8;

export const CLEAR_STEP: MapStep = { key: null, value: null };

/** How many strings the steps hold, and code units in them: what a payload with them is begun with. */
export function extentOf(steps: readonly MapStep[]): { readonly strings: number; readonly units: number } {
  let units = 0;
  for (const { key, value } of steps) units += (key?.length ?? 0) + (value?.length ?? 0);
  return { strings: 2 * steps.length, units };
}

/** Each as flags, [key], [value]. */
export function writeSteps(payload: PayloadWriter, steps: readonly MapStep[]): void {
  for (const { key, value } of steps) {
    const flags = payload.length;
    payload.byte(key === null ? ALL : 0);
    if (key === null) continue;
    if (payload.string(key)) payload.mark(flags, KEY_WIDE);
    if (value === null) continue;
    payload.mark(flags, VALUE);
    if (payload.string(value)) payload.mark(flags, VALUE_WIDE);
  }
}

export function readStep(payload: PayloadReader): MapStep {
  const flags = payload.byte();
  if (flags === ALL) return CLEAR_STEP;
  if (flags > (KEY_WIDE | VALUE_WIDE | VALUE) || (flags & (VALUE_WIDE | VALUE)) === VALUE_WIDE) throw damaged('unknown flags');
  const key = payload.string((flags & KEY_WIDE) !== 0);
  const value = (flags & VALUE) === 0 ? null : payload.string((flags & VALUE_WIDE) !== 0);
  return { key, value };
}

/** Hears what became of one key, or of all where there is none. */
export type StepListener = (key: string | null, oldValue: string | null, newValue: string | null) => void;

/** Gives a map what the steps make of it, whatever its quota, and tells what changed. */
export function performSteps(state: MapState, steps: readonly MapStep[], changed?: StepListener): void {
  for (const { key, value } of steps) {
    if (key === null) {
      if (state.clear()) changed?.(null, null, null);
      continue;
    }
    const oldValue = state.get(key) ?? null;
    if (oldValue === value) continue;
    if (value === null) state.remove(key);
    else state.put(key, value);
    changed?.(key, oldValue, value);
  }
}

/** How many bytes the map would take after the steps. */
export function bytesAfter(state: MapState, steps: readonly MapStep[]): number {
  const changed = new Map<string, string | null>();
  let bytes = state.bytes;
  let isCleared = false;
  for (const { key, value } of steps) {
    if (key === null) {
      bytes = 0;
      isCleared = true;
      changed.clear();
      continue;
    }
    const known = changed.get(key);
    const old = known !== undefined ? known : isCleared ? null : (state.get(key) ?? null);
    bytes += 2 * ((value === null ? 0 : key.length + value.length) - (old === null ? 0 : key.length + old.length));
    changed.set(key, value);
  }
  return bytes;
}
