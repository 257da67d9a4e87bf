import type threads from 'node:worker_threads';
import { oneOf } from './codec.ts';
import type { HandleCodec } from './codec.ts';
import { isEnvelope, unpack } from './envelope.ts';
import { openDeliveries, openEmitted, openEventData } from './incoming.ts';
import { packed, packing } from './outgoing.ts';
import { Patches } from './patches.ts';
import type { Method } from './patches.ts';
import { isObject } from './shape.ts';

type Threads = typeof threads;

/** What is installed on one global object: one set of patches, however often. */
interface Installed {
  /** The latest is last. */
  readonly codecs: HandleCodec[];
  readonly undo: () => void;
}

const installedOn = new Map<object, Installed>();

/**
 * Makes handles pass through `structuredClone`, MessagePort, Worker and BroadcastChannel, between realms where this is
 * installed. Messages without handles are what they were, bit by bit.
 *
 * A handle arrives only where its origin is the receiver's; elsewhere `structuredClone` throws a DataCloneError and
 * ports fire 'messageerror'. https://html.spec.whatwg.org/#structured-cloning
 *
 * Install it before anything else runs: code that has already taken a function out of its object (`const {
 * structuredClone } = globalThis`) keeps what it took. Left out, and handles in them refused by the runtime: errors'
 * causes, named properties of arrays, transferred streams, environment data of threads; on Deno and Bun also
 * `workerData`, `receiveMessageOnPort` where it was imported by name, and on Bun `parentPort` inside a web Worker.
 * A realm without this receives a Map in place of a message that holds handles; so does a thread that reads its
 * `workerData` before it has installed this.
 *
 * Several may be installed; the one installed last that can deserialize a handle does so.
 *
 * @returns what undoes it, in any order, except where others have changed the same things since.
 * @throws DataCloneError when this thread was started with a handle in its `workerData` that is not this origin's
 */
export function installStructuredClone(target: object, codec: HandleCodec): () => void {
  const installed = installedOn.get(target) ?? patchGlobal(target, codec);
  installed.codecs.push(codec);
  return () => {
    const index = installed.codecs.lastIndexOf(codec);
    if (index === -1) return;
    installed.codecs.splice(index, 1);
    if (installed.codecs.length > 0) return;
    installed.undo();
    installedOn.delete(target);
  };
}

function patchGlobal(target: object, first: HandleCodec): Installed {
  const codecs: HandleCodec[] = [];
  const codec = oneOf(codecs);
  const patches = new Patches();
  // Loaded here, so that programs that do not use this start without them.
  const threads = process.getBuiltinModule('node:worker_threads');
  const module = process.getBuiltinModule('node:module');
  openWorkerData(patches, threads, first);
  patches.method(target, 'structuredClone', (original) => cloning(original, codec));
  patches.method(threads, 'receiveMessageOnPort', (original) => receiving(original, codec));

  const port = threads.MessagePort.prototype;
  patches.method(port, 'postMessage', (original) => packing(original, codec));
  // In Node everything else stands on MessagePort.
  if (!openDeliveries(patches, port, codec)) installElsewhere(patches, threads, target, codec);

  // Without this, what was imported by name from the built-in module would stay what it was.
  module.syncBuiltinESMExports();
  const undo = (): void => {
    patches.undo();
    module.syncBuiltinESMExports();
  };
  const installed = { codecs, undo };
  installedOn.set(target, installed);
  return installed;
}

function installElsewhere(patches: Patches, threads: Threads, target: object, codec: HandleCodec): void {
  openEventData(patches, MessageEvent.prototype, codec);
  openEmitted(patches, threads.Worker.prototype, codec);
  for (const poster of posters(threads, target)) patches.method(poster, 'postMessage', (original) => packing(original, codec));
}

/** The objects besides MessagePort.prototype that have a postMessage of their own. */
function posters(threads: Threads, target: object): Set<object> {
  const found = new Set<object>([threads.Worker.prototype, BroadcastChannel.prototype]);
  const worker: unknown = Reflect.get(target, 'Worker');
  if (typeof worker === 'function' && isObject(worker.prototype)) found.add(worker.prototype);
  if (Object.hasOwn(target, 'postMessage')) found.add(target);
  if (threads.parentPort !== null && Object.hasOwn(threads.parentPort, 'postMessage')) found.add(threads.parentPort);
  return found;
}

function cloning(original: Method, codec: HandleCodec): Method {
  return function (this: unknown, ...args: unknown[]): unknown {
    const given = packed(args, codec);
    const clone: unknown = Reflect.apply(original, this, given);
    return given !== args && isEnvelope(clone) ? unpack(clone, codec) : clone;
  };
}

function receiving(original: Method, codec: HandleCodec): Method {
  return function (this: unknown, ...args: unknown[]): unknown {
    const received = Reflect.apply(original, this, args) as { message: unknown } | undefined;
    if (received !== undefined && isEnvelope(received.message)) received.message = unpack(received.message, codec);
    return received;
  };
}

/** The data that this thread was started with came before this could be installed. */
function openWorkerData(patches: Patches, threads: Threads, codec: HandleCodec): void {
  const data: unknown = threads.workerData;
  if (isEnvelope(data)) patches.property(threads, 'workerData', { value: unpack(data, codec) });
}
