import type { LockOutcome } from './machine.ts';

/** What a participant needs of a journal. */
export interface LockLog {
  open(): boolean;
  catchUp(): void;
  /** A part of that, which takes no more than about a millisecond; whether there may be more. */
  catchUpSome(): boolean;
  append(kind: number, session: number, sequence: number, payload: Uint8Array): LockOutcome;
  close(): void;
}
