import { readValue } from '../disk/values/read-value.ts';
import { UncloneableError } from '../disk/values/value-error.ts';
import { writeValue } from '../disk/values/write-value.ts';
import { inThisContext } from '../runtime/callback-context.ts';
import { randomInteger } from '../runtime/random.ts';
import { clearInterval, setImmediate, setInterval, type Timer } from '../runtime/timers.ts';
import { domException } from '../webidl/dom-exception.ts';
import type { ChannelPlace, Posted } from './channel-place.ts';

/** A timer that only keeps the process alive. */
const AGES_MS = 2 ** 31 - 1;

/**
 * What is behind a BroadcastChannel. Invariants:
 * - each message of its name, but its own, is dispatched once, in a task of its own, in the order of the bucket's journal;
 * - nothing is dispatched once it was closed;
 * - it keeps the process alive while it is open and listens, unless that was declined.
 */
export class ChannelPort {
  readonly #place: ChannelPlace;
  readonly name: string;
  readonly #dispatch: (event: Event) => unknown;
  readonly #sender = { session: randomInteger(), sequence: 0 };
  #leave: (() => void) | null;
  #forget: (() => void) | null;
  #isRef = true;
  #listens = false;
  #alive: Timer | null = null;

  /** Open from now on. `dispatch` runs in the context of now: a channel serves whoever made it. */
  constructor(place: ChannelPlace, name: string, dispatch: (event: Event) => unknown) {
    this.#place = place;
    this.name = name;
    this.#dispatch = inThisContext(dispatch);
    this.#leave = place.subscribe({ message: (message) => this.#hear(message), missed: () => this.#deliver(() => this.#failure()) });
    this.#forget = place.keep(() => this.close());
  }

  /** @throws DOMException InvalidStateError, DataCloneError, and what the place throws */
  post(message: unknown): void {
    if (this.#leave === null) throw domException('InvalidStateError', `The channel '${this.name}' was closed.`);
    const value = this.#write(message);
    // A getter of the message may have closed it.
    if (this.#leave !== null) this.#place.post(this.#sender, this.name, value);
  }

  #write(message: unknown): Uint8Array {
    try {
      return writeValue(message, this.#place.platform);
    } catch (error) {
      if (error instanceof UncloneableError) throw domException('DataCloneError', error.message, error);
      throw error;
    }
  }

  close(): void {
    this.#leave?.();
    this.#leave = null;
    this.#forget?.();
    this.#forget = null;
    this.#stay();
  }

  /** Somebody waits for messages. */
  listens(): void {
    this.#listens = true;
    this.#stay();
  }

  /** Whether it keeps the process alive while it listens. */
  set isRef(isRef: boolean) {
    this.#isRef = isRef;
    this.#stay();
  }

  #stay(): void {
    if (this.#leave !== null && this.#isRef && this.#listens) {
      this.#alive ??= setInterval(() => undefined, AGES_MS);
    } else if (this.#alive !== null) {
      clearInterval(this.#alive);
      this.#alive = null;
    }
  }

  #hear({ name, session, value }: Posted): void {
    if (name === this.name && session !== this.#sender.session) this.#deliver(() => this.#event(value));
  }

  #deliver(event: () => Event): void {
    setImmediate(() => {
      if (this.#leave !== null) this.#dispatch(event());
    });
  }

  /** Each channel reads a value of its own. */
  #event(value: Uint8Array): Event {
    const { origin, platform } = this.#place;
    let data: unknown;
    try {
      data = readValue(value, platform);
    } catch {
      return this.#failure();
    }
    return new MessageEvent('message', { data, origin });
  }

  #failure(): Event {
    return new MessageEvent('messageerror', { origin: this.#place.origin });
  }
}
