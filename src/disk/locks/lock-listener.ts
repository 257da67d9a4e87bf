import type { Claim, WebClaim } from './claims.ts';
import type { FileChange } from './lock-table.ts';

/**
 * What a machine reports while it applies records. `by` is the session whose record was the cause. A listener must not
 * use the machine's journal before the call that applies the records has returned.
 */
export interface LockListener {
  /** A claim that waited is held now, or was refused. */
  settled(claim: Claim, by: number): void;
  /** A claim was taken away from its session: stolen, or ended with a session that did not leave by itself. */
  lost(claim: Claim, by: number): void;
  /** A session is no longer heard: it left, was forgotten or declared dead. */
  left(session: number, by: number): void;
  /** Claims were ended by their own session: all of one of its clients. */
  ended(claims: readonly Claim[]): void;
  /** A web lock or a request for one has come to its name, or left it. */
  webStirred(claim: WebClaim): void;
  changed(change: FileChange): void;
  /** Changes were missed. */
  gap(): void;
  /** The state comes from a snapshot: claims are new objects. */
  restored(): void;
}
