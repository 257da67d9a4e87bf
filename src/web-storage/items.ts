import type { MapArea, SetOutcome } from '../disk/map/map-area.ts';
import { overQuota, storageError } from './storage-errors.ts';
import type { Operation } from './storage-errors.ts';

/*
 * What Storage's methods and its named properties have in common: access to the map, with the errors of the web.
 * https://html.spec.whatwg.org/#the-storage-interface
 */

export function countItems(map: MapArea): number {
  try {
    return map.length;
  } catch (error) {
    throw storageError(error, 'length');
  }
}

export function keyAt(map: MapArea, index: number): string | null {
  try {
    return map.key(index);
  } catch (error) {
    throw storageError(error, 'key');
  }
}

/** https://html.spec.whatwg.org/#the-storage-interface:supported-property-names: in the order of insertion. */
export function allKeys(map: MapArea): readonly string[] {
  try {
    return map.keys();
  } catch (error) {
    throw storageError(error, 'key');
  }
}

/** https://html.spec.whatwg.org/#dom-storage-getitem */
export function readItem(map: MapArea, key: string): string | null {
  try {
    return map.get(key);
  } catch (error) {
    throw storageError(error, 'getItem', key);
  }
}

/** https://html.spec.whatwg.org/#dom-storage-setitem; other clients hear of it through the map. */
export function writeItem(map: MapArea, key: string, value: string): void {
  const outcome = trySet(map, key, value);
  if (!outcome.accepted) throw overQuota('setItem', outcome, key);
}

/** Called so often that a closure would tell. */
function trySet(map: MapArea, key: string, value: string): SetOutcome {
  try {
    return map.set(key, value);
  } catch (error) {
    throw storageError(error, 'setItem', key);
  }
}

function write(operation: Operation, action: () => SetOutcome, key?: string): void {
  let outcome: SetOutcome;
  try {
    outcome = action();
  } catch (error) {
    throw storageError(error, operation, key);
  }
  if (!outcome.accepted) throw overQuota(operation, outcome, key);
}

/** https://html.spec.whatwg.org/#dom-storage-removeitem */
export function removeItem(map: MapArea, key: string): void {
  write('removeItem', () => map.remove(key), key);
}

/** https://html.spec.whatwg.org/#dom-storage-clear */
export function clearItems(map: MapArea): void {
  write('clear', () => map.clear());
}
