import { types } from 'node:util';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { HoldfastErrorCode } from '../../runtime/holdfast-error.ts';
import type { Activity } from '../activity.ts';
import type { Call } from '../call.ts';
import type { Link } from '../context.ts';
import { CoordinatorError } from '../errors.ts';
import type { Outcome } from '../errors.ts';
import { decodeThrown, encodeThrown } from '../messages.ts';
import type { Reply } from '../messages.ts';
import type { CoordinatorKey } from '../store.ts';
import { encodeFrame, FrameError } from './frames.ts';

/*
 * What processes of one root say to each other, as written values:
 *
 *   CALL   id, origin, class, name, caller, number, got, method, chain (triples: id, shown, event), whether it was sent
 *          before; its bytes: the arguments
 *   REPLY  id, 'value' or 'error'; its bytes: the result
 *   MOVED  id                             it does not run here: look again
 *   FAILED id, code, message, outcome, retryable, overloaded; its bytes: the cause, as something thrown; none: it has none
 *   PING, PONG
 *   LIST   id                             what runs there?
 *   LISTED id, list of (origin, class, name, epoch, last use, waiting, running, failures)
 *   SERVES id, class                      is it served there?
 *   SERVED id, boolean
 *
 * Nothing of it is trusted to have its form: the folder is private, but programs of two versions may meet in it.
 */
export const CALL = 0;
export const REPLY = 1;
export const MOVED = 2;
export const FAILED = 3;
export const PING = 4;
export const PONG = 5;
export const LIST = 6;
export const LISTED = 7;
export const SERVES = 8;
export const SERVED = 9;

const OUTCOMES: readonly unknown[] = ['not-run', 'ran', 'partial', 'unknown'] satisfies Outcome[];

/** Links of a chain: a longer one is no accident. */
const LONGEST_CHAIN = 1000;

type Message = readonly unknown[];

const NO_LINKS: readonly unknown[] = [];

const NO_BYTES = new Uint8Array(0);

/** Bytes of what an error was caused by. */
const LARGEST_CAUSE = 2 ** 16;

export function callMessage(id: number, { origin, className, name }: CoordinatorKey, { caller, number, got, isAgain, method, chain }: Call): Message {
  return [CALL, id, origin, className, name, caller, number, got, method, chain.length === 0 ? NO_LINKS : chain.map((link) => [link.id, link.shown, link.event]), isAgain];
}

export function readCall([, , origin, className, name, caller, number, got, method, chain, isAgain, args]: Message): { key: CoordinatorKey; call: Call } {
  return {
    key: { origin: text(origin), className: text(className), name: text(name) },
    call: { caller: integer(caller), number: integer(number), got: integer(got), isAgain: isAgain === true, method: text(method), args: bytes(args), chain: links(chain) },
  };
}

function links(value: unknown): Link[] {
  if (!Array.isArray(value) || value.length > LONGEST_CHAIN) throw new FrameError('A chain of calls makes no sense.');
  return value.map((link: unknown) => {
    if (!Array.isArray(link)) throw new FrameError('A chain of calls makes no sense.');
    return { id: text(link[0]), shown: text(link[1]), event: text(link[2]) };
  });
}

export function readReply([, , kind, content]: Message): Reply {
  if (kind !== 'value' && kind !== 'error') throw new FrameError('A reply makes no sense.');
  return { kind, bytes: bytes(content) };
}

/** What a call has failed with: FAILED, or MOVED where it says nothing of the call itself. */
export function failedFrame(id: number, error: unknown): Uint8Array {
  if (!(error instanceof HoldfastError)) return encodeFrame([MOVED, id]);
  const { code, message, cause } = error;
  const { outcome, retryable, overloaded } = error instanceof CoordinatorError ? error : new CoordinatorError(code, message, { outcome: 'not-run' });
  return encodeFrame([FAILED, id, code, message, outcome, retryable, overloaded], causeBytes(cause));
}

/** None, where it cannot be told, or takes too much. */
function causeBytes(cause: unknown): Uint8Array {
  if (cause === undefined || cause === null) return NO_BYTES;
  try {
    const written = encodeThrown(cause);
    return written.length <= LARGEST_CAUSE ? written : NO_BYTES;
  } catch {
    return NO_BYTES;
  }
}

export function readFailed([, , code, message, outcome, retryable, overloaded, cause]: Message): CoordinatorError {
  if (!OUTCOMES.includes(outcome)) throw new FrameError('An outcome makes no sense.');
  return new CoordinatorError(text(code) as HoldfastErrorCode, text(message), { outcome: outcome as Outcome, retryable: retryable === true, overloaded: overloaded === true, cause: readCause(cause) });
}

function readCause(value: unknown): unknown {
  if (!types.isUint8Array(value) || value.length === 0) return undefined;
  try {
    return decodeThrown(value);
  } catch (cause) {
    throw new FrameError('A cause makes no sense.', { cause });
  }
}

export function listedMessage(id: number, activities: Iterable<Activity>): Message {
  return [LISTED, id, Array.from(activities, ({ origin, className, name, epoch, usedAt, waiting, running, failures }) => [origin, className, name, epoch, usedAt, waiting, running, failures])];
}

export function readListed([, , list]: Message): Activity[] {
  if (!Array.isArray(list)) throw new FrameError('A list makes no sense.');
  return list.map((each: unknown) => {
    if (!Array.isArray(each)) throw new FrameError('A list makes no sense.');
    const [origin, className, name, epoch, usedAt, waiting, running, failures] = each as Message;
    return {
      origin: text(origin),
      className: text(className),
      name: text(name),
      epoch: integer(epoch),
      usedAt: integer(usedAt),
      waiting: integer(waiting),
      running: integer(running),
      failures: integer(failures),
    };
  });
}

export function integer(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new FrameError('A number makes no sense.');
}

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new FrameError('A text makes no sense.');
}

function bytes(value: unknown): Uint8Array {
  if (types.isUint8Array(value)) return value;
  throw new FrameError('Bytes make no sense.');
}
