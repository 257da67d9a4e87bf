import type { Block, Gate } from './gate.ts';
import type { Clock } from './store.ts';

/** Milliseconds that a section may take. */
export const BLOCK_MS = 30_000;

/** A section of `blockConcurrencyWhile` that is about to begin. */
export interface Section<Result> {
  readonly gate: Gate;
  readonly clock: Clock;
  /** The event that is in it; empty for the constructor. */
  readonly event: string;
  /** The sections that it is in. */
  readonly outer: readonly Block[];
  /** Runs its code, as part of these. */
  readonly enter: (blocks: readonly Block[]) => Promise<Result> | Result;
  /** It has not come to its end. */
  readonly onLate: () => void;
}

/** Nothing else runs meanwhile, and what awaits the result goes on alone. @throws (rejects) what its code throws */
export async function runSection<Result>({ gate, clock, event, outer, enter, onLate }: Section<Result>): Promise<Result> {
  const block: Block = { event };
  const blocks = [...outer, block];
  const others = gate.block(block, outer);
  if (others !== null) await others;
  const stop = clock.after(BLOCK_MS, onLate);
  try {
    return await gate.deliver(blocks, Promise.resolve(enter(blocks)));
  } finally {
    stop();
    gate.unblock(block);
  }
}
