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

/** Calls a public method of a user's object. @throws TypeError where it has none of that name; what it throws */
export function invoke(object: Served, className: string, { method, args }: Pick<Call, 'method' | 'args'>): unknown {
  const given = decodeArguments(args);
  if (method === 'fetch') return answer(object, className, given);
  return Reflect.apply(publicMethod(object, className, method), object, given);
}

/** One of the user's class, not what all objects have, nor what only coordinators call. */
function publicMethod(object: Served, className: string, name: string): (...args: unknown[]) => unknown {
  for (let at = prototypeOf(object); at !== null && !isShared(at); at = prototypeOf(at)) {
    if (!Object.hasOwn(at, name) || name === 'constructor' || name === 'alarm') continue;
    const value: unknown = Reflect.get(at, name, object);
    if (typeof value === 'function') return value as (...args: unknown[]) => unknown;
  }
  throw new TypeError(`${className} has no method '${name.slice(0, 80)}'.`);
}

async function answer(object: Served, className: string, [request]: unknown[]): Promise<unknown> {
  if (object.fetch === undefined) throw new TypeError(`${className} has no method 'fetch'.`);
  const response = await object.fetch(decodeRequest(request as Parameters<typeof decodeRequest>[0]));
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
