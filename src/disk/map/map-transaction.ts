import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { SetOutcome } from './map-area.ts';
import { encodeBatch, stillHolds } from './map-batch.ts';
import type { MapJournal, MapWriter } from './map-journal.ts';
import { MapOverlay, MapReads } from './map-overlay.ts';
import { ACCEPTED } from './map-state.ts';
import type { MapStep } from './map-steps.ts';

/** How often a body is run before it is told that others are always faster. */
const ATTEMPTS = 1000;

/** What came of a transaction; where the outcome is a rejection nothing was stored. */
export interface Transacted<Result> {
  readonly outcome: SetOutcome;
  readonly result: Result;
  readonly steps: readonly MapStep[];
}

/**
 * Runs `body` on the map as it is, and stores what it has changed as one record, if nobody has changed meanwhile what
 * it has read; else it runs again. What `body` throws is thrown, and then nothing is stored.
 *
 * @throws HoldfastError `conflict` when others change what it reads each time; what an append throws
 */
export function transact<Result>(map: MapJournal, writer: MapWriter, body: (overlay: MapOverlay) => Result): Transacted<Result> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const reads = new MapReads();
    const overlay = new MapOverlay(map.current(), reads);
    let result: Result;
    try {
      result = body(overlay);
    } catch (error) {
      // What it saw may never have been there at one moment.
      if (stillHolds(reads, map.current())) throw error;
      continue;
    }
    if (!stillHolds(reads, map.current())) continue;
    const { steps } = overlay;
    const outcome = steps.length === 0 ? ACCEPTED : map.batch(writer, (ownUrl) => encodeBatch(ownUrl, writer.url, reads, steps));
    if (outcome.accepted || outcome.conflict !== true) return { outcome, result, steps };
  }
  throw new HoldfastError('conflict', `A transaction was run ${ATTEMPTS} times, and each time what it had read was changed meanwhile.`);
}
