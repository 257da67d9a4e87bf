import type { Chain } from './chain.ts';
import type { Incarnation } from './incarnation.ts';
import type { Refusal } from './model.ts';
import type { Operation } from './operation.ts';

/** An operation of an entry that has its turn. */
export interface Turn {
  readonly operation: Operation;
  readonly incarnation: Incarnation;
  readonly number: number;
  /** Up to it. */
  readonly chain: Chain;
  /** False: `chain` is of version 1, and says nothing about what came before. */
  readonly chained: boolean;
}

/** What became of one operation of an entry. */
export interface Applied {
  readonly operation: Operation;
  /** It was pending, and is no more. */
  readonly own: boolean;
  /** It was not the first of the pending ones. */
  readonly early: boolean;
  /** Null: accepted. */
  readonly refusal: Refusal | null;
}
