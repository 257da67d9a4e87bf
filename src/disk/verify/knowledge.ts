import type { Machine } from '../journal/machine.ts';
import type { CacheMachine } from '../caches/machine.ts';
import type { LockMachine } from '../locks/machine.ts';
import type { ResponseFault } from '../caches/inspect.ts';
import type { AccountMachine } from '../quota/machine.ts';
import type { Examine } from '../records/examine.ts';
import type { Sealing } from '../tree/sealing.ts';
import type { Weight } from '../quota/weigh.ts';

/** Who understands what is recorded; given, for nothing here is to decide what it takes to be loaded. */
export interface Knowledge {
  readonly machines: Machines;
  /** What is there of the responses that an index names. */
  readonly responses: Responses;
  /** What each entry costs that a bucket's account counts. */
  weigh(bucket: string): Iterable<Weight>;
  /** Looks at a database, by its directory, without changing it. */
  readonly examine: Examine;
}

/** Looks at the responses in a bucket's `caches/`. Both throw the operating system's error. */
export interface Responses {
  /** The files that are there, in the order of their names. */
  list(caches: string): string[];
  /** Those that the machine names and that are not as they were written. `sealing`: null where they are not encrypted. */
  faults(caches: string, machine: CacheMachine, sealing: Sealing | null): ResponseFault[];
}

/** Makes what understands the records of a journal, by the journal's name. */
export interface Machines {
  /** `url`: the map's own. */
  'local-storage'(url: string): Machine<unknown>;
  locks(): LockMachine;
  quota(): AccountMachine;
  'files-sync'(): Machine<unknown>;
  channels(): Machine<unknown>;
  'caches/index'(): CacheMachine;
  register(): Machine<unknown>;
  /** Of a coordinator. */
  turns(): Machine<unknown>;
}

export type JournalName = keyof Machines;
