import type { HandleCodec } from './codec.ts';
import { mayHoldHandle } from './search.ts';
import { pack } from './pack.ts';
import type { Method } from './patches.ts';
import { isObject } from './shape.ts';

/** Wraps a function whose first argument is cloned and whose second is a transfer list, or options that hold one. */
export function packing(post: Method, codec: HandleCodec): Method {
  return function (this: unknown, ...args: unknown[]): unknown {
    return Reflect.apply(post, this, packed(args, codec));
  };
}

/** The arguments with the message in an envelope, if it needs one; else the very same. */
export function packed(args: unknown[], codec: HandleCodec): unknown[] {
  const [message, options, ...rest] = args;
  if (!isObject(message) || codec.anyHandles?.() === false || !mayHoldHandle(message, codec)) return args;
  if (isWorkerStart(message)) return [{ ...message, workerData: pack(message.workerData, codec, []) }, ...args.slice(1)];
  if (!isObject(options)) return [pack(message, codec, []), ...args.slice(1)];
  const read = readTransferList(options);
  return [pack(message, codec, read.transferred), read.options, ...rest];
}

/**
 * What Node posts to a thread that it starts, over a port like any other. The thread reads it before any of our code runs
 * there, so only the user's own part of it may become an envelope.
 */
function isWorkerStart(message: object): message is { workerData: unknown } {
  return 'type' in message && message.type === 'loadScript' && 'publicPort' in message && 'workerData' in message;
}

/** The list, and options that say the same: an iterator can be read only once. What makes no sense is left to the runtime. */
function readTransferList(options: object): { transferred: unknown[]; options: object } {
  if (Symbol.iterator in options) {
    const transferred = Array.from(options as Iterable<unknown>);
    return { transferred, options: transferred };
  }
  const transfer: unknown = 'transfer' in options ? options.transfer : undefined;
  if (!isObject(transfer) || !(Symbol.iterator in transfer)) return { transferred: [], options };
  const transferred = Array.from(transfer as Iterable<unknown>);
  return { transferred, options: { ...options, transfer: transferred } };
}
