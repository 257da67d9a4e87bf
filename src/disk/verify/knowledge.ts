import type { Machine } from '../journal/machine.ts';
import type { AccountMachine } from '../quota/machine.ts';
import type { Weight } from '../quota/weigh.ts';

/** Who understands what is recorded; given, for nothing here is to decide what it takes to be loaded. */
export interface Knowledge {
  readonly machines: Machines;
  /** What each entry costs that a bucket's account counts. */
  weigh(bucket: string): Iterable<Weight>;
}

/** Makes what understands the records of a journal, by the journal's name. */
export interface Machines {
  /** `url`: the map's own. */
  'local-storage'(url: string): Machine<unknown>;
  locks(): Machine<unknown>;
  quota(): AccountMachine;
  'files-sync'(): Machine<unknown>;
  channels(): Machine<unknown>;
}

export type JournalName = keyof Machines;
