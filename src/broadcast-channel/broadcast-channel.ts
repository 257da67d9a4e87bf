import { DOMString } from '../webidl/conversions.ts';
import { defineInterface, illegalInvocation, requireArguments, requireConstructorArguments } from '../webidl/interface.ts';
import type { ChannelPlace } from './channel-place.ts';
import { ChannelPort } from './channel-port.ts';
import { EventHandler } from './event-handler.ts';
import type { Handler } from './event-handler.ts';

/**
 * Sends values to the channels of its name that the origin's clients have open, in all threads and processes of the root,
 * but not to itself. https://html.spec.whatwg.org/#broadcasting-to-other-browsing-contexts
 *
 * - A message reaches every channel that was open when it was posted, once, and all agree on the order of all messages.
 * - When `postMessage` has returned, the message is on its way whatever becomes of the process; but a channel is no queue:
 *   nobody who opens one later hears of it.
 * - A channel with a listener keeps its process alive until it is closed, or `unref` was called.
 */
export interface BroadcastChannel extends EventTarget {
  readonly name: string;
  onmessage: Handler | null;
  onmessageerror: Handler | null;
  /** @throws DOMException InvalidStateError on a closed channel; DataCloneError; UnknownError where the disk refuses */
  postMessage(message: unknown): void;
  close(): void;
  /** As the runtimes' own channels have it. */
  ref(): this;
  /** As the runtimes' own channels have it. */
  unref(): this;
}

export interface BroadcastChannelConstructor {
  readonly prototype: BroadcastChannel;
  new (name: string): BroadcastChannel;
}

/**
 * The interface, with a constructor whose channels are those of whoever `place` gives then.
 * https://html.spec.whatwg.org/#broadcastchannel
 */
export function channelInterface(place: () => ChannelPlace): BroadcastChannelConstructor {
  class Channel extends EventTarget implements BroadcastChannel {
    readonly #port: ChannelPort;
    readonly #onmessage = new EventHandler(this, 'message');
    readonly #onmessageerror = new EventHandler(this, 'messageerror');

    constructor(name: string) {
      requireConstructorArguments(arguments.length, 1, 'BroadcastChannel');
      super();
      const converted = DOMString(name, "Failed to construct 'BroadcastChannel': parameter 1");
      this.#port = new ChannelPort(place(), converted, (event) => this.dispatchEvent(event));
    }

    static #portOf(channel: Channel): ChannelPort {
      if (!(#port in channel)) throw illegalInvocation('BroadcastChannel');
      return channel.#port;
    }

    get name(): string {
      return Channel.#portOf(this).name;
    }

    get onmessage(): Handler | null {
      Channel.#portOf(this);
      return this.#onmessage.value;
    }

    set onmessage(handler: Handler | null) {
      Channel.#portOf(this);
      this.#onmessage.value = handler;
    }

    get onmessageerror(): Handler | null {
      Channel.#portOf(this);
      return this.#onmessageerror.value;
    }

    set onmessageerror(handler: Handler | null) {
      Channel.#portOf(this);
      this.#onmessageerror.value = handler;
    }

    postMessage(message: unknown): void {
      const port = Channel.#portOf(this);
      requireArguments(arguments.length, 1, 'BroadcastChannel', 'postMessage');
      port.post(message);
    }

    close(): void {
      Channel.#portOf(this).close();
    }

    ref(): this {
      Channel.#portOf(this).isRef = true;
      return this;
    }

    unref(): this {
      Channel.#portOf(this).isRef = false;
      return this;
    }

    override addEventListener(...args: Parameters<EventTarget['addEventListener']>): void {
      super.addEventListener(...args);
      if (args[0] === 'message' && args[1] !== null) Channel.#portOf(this).listens();
    }
  }
  defineInterface(Channel, {
    name: 'BroadcastChannel',
    length: 1,
    operations: { postMessage: 1, close: 0 },
    attributes: ['name', 'onmessage', 'onmessageerror'],
  });
  return Channel;
}
