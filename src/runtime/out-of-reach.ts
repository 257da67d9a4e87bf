import type { HoldfastErrorCode } from './holdfast-error.ts';

/** Whether an error says that an origin's storage cannot be had at all, also for want of its keys: to the web a SecurityError. */
export function isOutOfReach(code: HoldfastErrorCode): boolean {
  return /^(key|not-encrypted|root-(unusable|newer)|disk-unsupported)/.test(code);
}
