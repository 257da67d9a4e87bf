import { errorMessage, isDOMException, isError } from '../runtime/errors.ts';
import { HoldfastError } from '../runtime/holdfast-error.ts';
import type { Failure } from './messages.ts';

/** A request is answered with this status and sentence. */
export class Refused extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'Refused';
    this.status = status;
    this.code = code;
  }
}

export function badRequest(message: string): Refused {
  return new Refused(400, 'bad-request', message);
}

export function missing(message: string): Refused {
  return new Refused(404, 'missing', message);
}

const STATUS_OF_NAME: Readonly<Record<string, number>> = {
  NotFoundError: 404,
  QuotaExceededError: 413,
  NoModificationAllowedError: 409,
  InvalidModificationError: 409,
  TypeMismatchError: 409,
  InvalidStateError: 409,
  NotReadableError: 409,
};

/** What became of a request, for whoever has asked. All of its text is ours, or of the system. */
export function failureOf(error: unknown): { readonly status: number; readonly body: Failure } {
  if (error instanceof Refused) return failed(error.status, error.code, error.message);
  if (error instanceof HoldfastError) return failed(error.code === 'origin-missing' ? 404 : error.code === 'bad-option' ? 400 : 409, error.code, error.message);
  const name = isError(error) || isDOMException(error) ? error.name : 'Error';
  return failed(STATUS_OF_NAME[name] ?? 500, name, errorMessage(error));
}

function failed(status: number, code: string, message: string): { status: number; body: Failure } {
  return { status, body: { error: { code, message } } };
}
