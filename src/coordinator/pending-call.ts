import type { Waiter } from './event.ts';
import type { Call } from './call.ts';
import type { Route } from './line.ts';
import type { Reply } from './messages.ts';

/** Whoever sends a call, and hears what becomes of that. */
export interface CallSender {
  answered(pending: PendingCall, reply: Reply): void;
  failed(pending: PendingCall, error: unknown): void;
}

/** A call that was made and has not ended. */
export class PendingCall implements Waiter {
  readonly call: Omit<Call, 'got' | 'isAgain'>;
  /** By a clock that never jumps. */
  readonly since: number;
  readonly end: (reply: Reply) => void;
  readonly fail: (error: unknown) => void;
  attempts = 0;
  losses = 0;
  hasEnded = false;
  /** Where it was sent last. */
  route: Route | null = null;
  /** The one that was made after it. */
  next: PendingCall | null = null;
  readonly #sender: CallSender;

  constructor(sender: CallSender, call: Omit<Call, 'got' | 'isAgain'>, since: number, end: (reply: Reply) => void, fail: (error: unknown) => void) {
    this.#sender = sender;
    this.call = call;
    this.since = since;
    this.end = end;
    this.fail = fail;
  }

  /** As where it was sent says. */
  resolve(reply: Reply): void {
    this.#sender.answered(this, reply);
  }

  reject(error: unknown): void {
    this.#sender.failed(this, error);
  }
}
