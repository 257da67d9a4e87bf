import { define, ownProperty } from '../../runtime/define.ts';
import type { HandleCodec } from './codec.ts';
import { isEnvelope, unpack } from './envelope.ts';
import type { Patches } from './patches.ts';

/**
 * The method by which Node delivers every message to a MessagePort: to ports, `parentPort`, the Worker objects and the
 * BroadcastChannels that stand on one, for listeners of either style.
 */
const deliver = Symbol.for('nodejs.internal.kHybridDispatch');

/** Opens envelopes on delivery; one that cannot be opened is delivered as a 'messageerror'. */
export function openDeliveries(patches: Patches, portPrototype: object, codec: HandleCodec): boolean {
  if (!(deliver in portPrototype)) return false;
  patches.method(portPrototype, deliver, (original) => function (this: unknown, data, type, ...rest) {
    const opened = type === 'message' && isEnvelope(data) ? open(data, codec) : { data, type };
    return Reflect.apply(original, this, [opened.data, opened.type, ...rest]);
  });
  return true;
}

function open(data: ReadonlyMap<string, unknown>, codec: HandleCodec): { data: unknown; type: string } {
  try {
    return { data: unpack(data, codec), type: 'message' };
  } catch (error) {
    return { data: error, type: 'messageerror' };
  }
}

/** Opens the messages that a node:worker_threads Worker emits past any event. */
export function openEmitted(patches: Patches, workerPrototype: object, codec: HandleCodec): void {
  patches.method(workerPrototype, 'emit', (original) => function (this: unknown, name, data, ...rest) {
    if (name !== 'message' || !isEnvelope(data)) return Reflect.apply(original, this, [name, data, ...rest]);
    const opened = open(data, codec);
    return Reflect.apply(original, this, [opened.type, opened.data, ...rest]);
  });
}

/**
 * Opens envelopes where listeners get at them, `event.data`, for runtimes whose delivery cannot be changed.
 *
 * A message that cannot be opened fires 'messageerror' instead, but only when its data is read: the listener that read
 * it gets null, those after it are not called.
 */
export function openEventData(patches: Patches, eventPrototype: object, codec: HandleCodec): void {
  const opened = new WeakMap<Event, unknown>();
  const openedData = (event: Event, data: unknown): unknown => {
    if (!isEnvelope(data)) return data;
    if (!opened.has(event)) {
      const result = open(data, codec);
      opened.set(event, result.type === 'message' ? result.data : null);
      if (result.type === 'messageerror') replaceByError(event, result.data);
    }
    return opened.get(event);
  };

  const before = ownProperty(eventPrototype, 'data') ?? assignedData();
  patches.property(eventPrototype, 'data', {
    ...before,
    get(this: Event) {
      return openedData(this, before.get?.call(this));
    },
  });
}

/** For Deno, whose events have a property of their own that their constructor assigns: keeps that of an envelope back. */
function assignedData(): PropertyDescriptor {
  const sealed = new WeakMap<object, unknown>();
  return {
    configurable: true,
    enumerable: true,
    get(this: object) {
      return sealed.get(this);
    },
    set(this: object, value: unknown) {
      if (isEnvelope(value)) sealed.set(this, value);
      else define(this, 'data', { value, writable: true, enumerable: true, configurable: true });
    },
  };
}

function replaceByError(event: Event, error: unknown): void {
  const target = event.currentTarget ?? event.target;
  event.stopImmediatePropagation();
  // Bun's on('messageerror') passes the event's error, other listeners look at its data.
  target?.dispatchEvent(Object.assign(new MessageEvent('messageerror', { data: error }), { error }));
}
