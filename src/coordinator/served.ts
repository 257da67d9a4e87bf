import type { Call } from './call.ts';
import { CoordinatorError, shown } from './errors.ts';
import { decodeArguments, decodeRequest, encode, encodeResponse, encodeThrown } from './messages.ts';
import type { Reply } from './messages.ts';
import { coordinatorBase } from './state.ts';
import type { CoordinatorState } from './state.ts';
import type { CoordinatorKey } from './store.ts';

/** What an instance runs: an object of a user's class. */
export interface Served {
  alarm?(info: { readonly attempt: number }): unknown;
  fetch?(request: Request): unknown;
}

/** A user's class, as it was registered. */
export interface ServedClass<Client> {
  new (state: CoordinatorState<Client>): Served;
  readonly concurrency?: 'gated' | 'serial';
}

/** Bytes of a result. */
const LARGEST_RESULT = 2 ** 25;

/** What {@link invoke} gives where there is no such method. */
export const NO_METHOD = Symbol('no method');

/** Calls a public method of a user's object; NO_METHOD: it has none of that name, and nothing has run. @throws what it throws */
export function invoke(object: Served, { method, args }: Pick<Call, 'method' | 'args'>): unknown {
  const given = decodeArguments(args);
  if (method === 'fetch') return object.fetch === undefined ? NO_METHOD : answer(object, given);
  const called = publicMethod(object, method);
  return called === null ? NO_METHOD : Reflect.apply(called, object, given);
}

/** To a caller whose code has a method that whoever runs the coordinator has not: another version may run it later. */
export function noMethod(key: CoordinatorKey, method: string): CoordinatorError {
  return new CoordinatorError('bad-option', `The class of ${shown(key)} has no method '${method.slice(0, 80)}' in the process that runs it.`, { outcome: 'not-run' });
}

/** One of the user's class, not what all objects have, nor what only coordinators call. */
function publicMethod(object: Served, name: string): ((...args: unknown[]) => unknown) | null {
  for (let at = prototypeOf(object); at !== null && !isShared(at); at = prototypeOf(at)) {
    if (!Object.hasOwn(at, name) || name === 'constructor' || name === 'alarm') continue;
    const value: unknown = Reflect.get(at, name, object);
    if (typeof value === 'function') return value as (...args: unknown[]) => unknown;
  }
  return null;
}

async function answer(object: Served, [request]: unknown[]): Promise<unknown> {
  const response = await object.fetch?.(decodeRequest(request as Parameters<typeof decodeRequest>[0]));
  return encodeResponse(response as Response);
}

/** What a caller gets of what a method has returned or thrown; null: it is too large to be given. */
export function replyOf(kind: Reply['kind'], result: unknown): Reply | null {
  try {
    const bytes = kind === 'value' ? encode(result) : encodeThrown(result);
    return bytes.length <= LARGEST_RESULT ? { kind, bytes } : null;
  } catch (error) {
    return { kind: 'error', bytes: encodeThrown(error) };
  }
}

/** To a caller whose call has run, and has changed what it has. */
export function tooLarge(key: CoordinatorKey): CoordinatorError {
  return new CoordinatorError('record-too-large', `This call of ${shown(key)} has run, and its result takes more than the ${LARGEST_RESULT} bytes that one may.`, { outcome: 'ran' });
}

function prototypeOf(object: object): object | null {
  return Object.getPrototypeOf(object) as object | null;
}

/** What all coordinators have is not for callers. */
function isShared(prototype: object): boolean {
  return prototype === Object.prototype || Object.hasOwn(prototype, coordinatorBase);
}
