import { defineInterface, illegalInvocation } from './interface.ts';
import { dictionary, double, DOMString } from './conversions.ts';

export interface QuotaExceededErrorOptions {
  /** Bytes that may be used. */
  readonly quota?: number;
  /** Bytes that would have been used. */
  readonly requested?: number;
}

const convertOptions = dictionary<QuotaExceededErrorOptions>({
  quota: { convert: double },
  requested: { convert: double },
});

function requireNotNegative(value: number | undefined, name: string): void {
  if (value !== undefined && value < 0) {
    throw new RangeError(`Failed to construct 'QuotaExceededError': ${name} is negative.`);
  }
}

/** https://webidl.spec.whatwg.org/#quotaexceedederror, for runtimes that have none. */
class OwnQuotaExceededError extends DOMException {
  readonly #quota: number | null;
  readonly #requested: number | null;

  constructor(message = '', options: QuotaExceededErrorOptions = {}) {
    super(DOMString(message, "Failed to construct 'QuotaExceededError': parameter 1"), 'QuotaExceededError');
    const { quota, requested } = convertOptions(options, "Failed to construct 'QuotaExceededError': parameter 2");
    requireNotNegative(quota, 'quota');
    requireNotNegative(requested, 'requested');
    if (quota !== undefined && requested !== undefined && requested < quota) {
      throw new RangeError("Failed to construct 'QuotaExceededError': requested is less than quota.");
    }
    this.#quota = quota ?? null;
    this.#requested = requested ?? null;
  }

  get quota(): number | null {
    if (!(#quota in this)) throw illegalInvocation('QuotaExceededError');
    return this.#quota;
  }

  get requested(): number | null {
    if (!(#requested in this)) throw illegalInvocation('QuotaExceededError');
    return this.#requested;
  }
}

defineInterface(OwnQuotaExceededError, { name: 'QuotaExceededError', attributes: ['quota', 'requested'] });

/** The instance side of the interface, the same for the native class and ours. */
export interface QuotaExceededError extends DOMException {
  readonly quota: number | null;
  readonly requested: number | null;
}

type QuotaExceededErrorConstructor = new (message?: string, options?: QuotaExceededErrorOptions) => QuotaExceededError;

const native = (globalThis as { QuotaExceededError?: QuotaExceededErrorConstructor }).QuotaExceededError;

/** The runtime's own class where it has one, so that `instanceof` agrees with it. */
export const QuotaExceededError: QuotaExceededErrorConstructor = native ?? OwnQuotaExceededError;
