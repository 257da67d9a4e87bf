import type { CallId } from '../disk/coordinator/owned-records.ts';
import type { Link } from './context.ts';

/** One call of a coordinator, as it is sent. */
export interface Call extends CallId {
  /** Its caller has the results of all calls up to this one. */
  readonly got: number;
  /** It was sent before, and may come a second time from where it was lost. */
  readonly isAgain: boolean;
  readonly method: string;
  /** A written value: the list of arguments. */
  readonly args: Uint8Array;
  /** The coordinators that wait for it. */
  readonly chain: readonly Link[];
}
