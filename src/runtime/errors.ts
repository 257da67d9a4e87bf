import { define } from './define.ts';

// What is to be read from something that was thrown, which may be of any realm, and need not be an error.

/** Whether it says who it is and what happened, as every error does. */
export function isError(value: unknown): value is Error {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'message') === 'string' && typeof Reflect.get(value, 'name') === 'string';
}

/** The system's or the runtime's code of an error, such as `ENOENT`; an empty string where it has none. */
export function errorCode(error: unknown): string {
  const code: unknown = isError(error) ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : '';
}

/** What an error says; of anything else that was thrown, what it is as a string. */
export function errorMessage(error: unknown): string {
  return isError(error) ? error.message : String(error);
}

/** Known by its code: a number, where those of systems and runtimes are strings. https://webidl.spec.whatwg.org/#idl-DOMException */
export function isDOMException(error: unknown): error is DOMException {
  return isError(error) && typeof Reflect.get(error, 'code') === 'number';
}

export function isTypeError(error: unknown): error is TypeError {
  return isError(error) && error.name === 'TypeError';
}

/** The errors that an AggregateError stands for; none of any other. */
export function errorsWithin(error: unknown): readonly unknown[] {
  const errors: unknown = isError(error) && error.name === 'AggregateError' ? Reflect.get(error, 'errors') : undefined;
  return Array.isArray(errors) ? errors : [];
}

/** The error with what caused it, where its constructor cannot be told. */
export function withCause<E extends Error>(error: E, cause: unknown): E {
  return define(error, 'cause', { value: cause, writable: true, enumerable: false, configurable: true });
}
