import { allOrNone, atOnce } from '../../disk/map/all-or-none.ts';
import type { SetOutcome } from '../../disk/map/map-area.ts';
import { MapOverlay } from '../../disk/map/map-overlay.ts';
import type { MapStep } from '../../disk/map/map-steps.ts';
import type { Storage } from '../../web-storage/storage.ts';
import { QuotaExceededError } from '../../webidl/quota-exceeded-error.ts';
import type { ClientArea } from '../client-area.ts';
import type { Meter } from '../meter.ts';
import type { ClientMap } from '../storage-client.ts';

/** A client's `localStorage`, and the map that it shows. */
interface Local {
  readonly area: ClientArea;
  readonly map: ClientMap;
  readonly storage: Storage;
}

/** Runs `given`, whose reads and writes of the client's map are one: all of them, or none. */
export function transact<Result>({ area, map, storage }: Local, given: (storage: Storage) => Result): Result {
  if (typeof given !== 'function') throw new TypeError(`transaction() calls a function, not ${String(given)}.`);
  const body = (): Result => given(storage);
  const outer = area.current;
  // A part of a transaction, which may fail alone.
  if (outer instanceof MapOverlay) return allOrNone(outer, body);
  let meter: Meter | undefined;
  const { outcome, result, steps } = map.transact((overlay) => {
    const before = area.exchange(overlay, undefined);
    [, meter] = before;
    try {
      return atOnce(body());
    } finally {
      // Otherwise the client was closed meanwhile, and says so when it is asked.
      if (area.current === overlay) area.exchange(...before);
      else void area.length;
    }
  });
  if (!outcome.accepted) throw refusal(outcome);
  for (const step of steps) count(step, meter);
  return result;
}

function count({ key, value }: MapStep, meter: Meter | undefined): void {
  const operation = key === null ? 'clear' : value === null ? 'remove' : 'set';
  meter?.wrote(operation, key, value === null ? 0 : (key?.length ?? 0) + value.length);
}

function refusal({ quota, requested, unsent }: SetOutcome & { accepted: false }): QuotaExceededError {
  const why = unsent === true ? `would make ${requested} bytes of writes wait for the hub; at most ${quota} may` : `would take the origin to ${requested} bytes; its quota is ${quota}`;
  return new QuotaExceededError(`Failed to store a transaction: it ${why}.`, { quota, requested });
}
