import { wallClock } from '../../../../runtime/timers.ts';
import type { OperationName } from '../operations.ts';

/** How a request ended: with what it asked for, refused for the reason that its status tells, or given up by the peer. */
export type Outcome = 'ok' | 'trimmed' | 'too-large' | 'unauthorized' | 'incompatible' | 'damaged' | 'malformed' | 'failed' | 'blob-missing' | 'full' | 'gone';

/** What a hub has done since it started. Only ever added to. */
export class Counters {
  readonly started = wallClock();
  entriesAppended = 0;
  bytesAppended = 0;
  entriesRead = 0;
  bytesRead = 0;
  blobsPut = 0;
  blobsRemoved = 0;
  snapshotsPut = 0;
  bytesIn = 0;
  bytesOut = 0;
  readonly requests = new Map<OperationName | 'none', Map<Outcome, number>>();
  readonly byToken = new Map<string, number>();

  request(operation: OperationName | 'none', outcome: Outcome): void {
    let outcomes = this.requests.get(operation);
    if (outcomes === undefined) this.requests.set(operation, (outcomes = new Map()));
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }

  /** `name`: of a token that the hub knows, so there are no more than it has ever had. */
  token(name: string): void {
    this.byToken.set(name, (this.byToken.get(name) ?? 0) + 1);
  }
}
