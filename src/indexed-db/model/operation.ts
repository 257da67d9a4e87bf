import type { ReadTransaction, UpgradeTransaction, WriteTransaction } from '../../disk/records/record-database.ts';
import type { Transaction } from './transaction.ts';

/** A pause in long work: undefined where it may go on at any time, a promise where it waits for that. */
export type Pause = Promise<unknown> | undefined;

/** Work that takes long, in small steps; what it returns is the result. */
export class LongWork {
  readonly steps: Generator<Pause, unknown, unknown>;

  constructor(steps: Generator<Pause, unknown, unknown>) {
    this.steps = steps;
  }
}

/** What a request asks for: https://w3c.github.io/IndexedDB/#request-operation. It is run once, at its turn. */
export interface Operation {
  /** What must have been done before, such as writing files; null where there is nothing. */
  readonly ready: Promise<unknown> | null;
  /**
   * Gives the result, or LongWork that will.
   *
   * @throws a DOMException for what the request fails with; anything else aborts the transaction too
   */
  run(transaction: Transaction): unknown;
  /** The transaction has ended, well or not; what is held until then is given back. */
  end?(): void;
}

/** Runs a generator of the database's to its end within one of ours. */
export function* stepsOf<T>(steps: Generator<undefined, T>): Generator<Pause, T, unknown> {
  return yield* steps;
}

/** The database's transaction, of the kind that its mode gives. */
export type EngineTransaction = ReadTransaction | WriteTransaction | UpgradeTransaction;
