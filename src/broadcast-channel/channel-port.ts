import { UncloneableError } from '../disk/values/value-error.ts';
import { inThisContext } from '../runtime/callback-context.ts';
import { randomInteger } from '../runtime/random.ts';
import { clearInterval, setImmediate, setInterval, type Timer } from '../runtime/timers.ts';
import { domException } from '../webidl/dom-exception.ts';
import type { ChannelPlace, Posted, Written } from './channel-place.ts';

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
  /** Ends when all that was heard is about to be dispatched; null: it is. */
  #pending: Promise<void> | null = null;

  /** Open from now on. `dispatch` runs in the context of now: a channel serves whoever made it. */
  constructor(place: ChannelPlace, name: string, dispatch: (event: Event) => unknown) {
    this.#place = place;
    this.name = name;
    this.#dispatch = inThisContext(dispatch);
    this.#leave = place.subscribe({ message: (message) => this.#hear(message), missed: () => this.#next(() => this.#failure()) });
    this.#forget = place.keep(() => this.close());
  }

  /** @throws DOMException InvalidStateError, DataCloneError, and what the place throws */
  post(message: unknown): void {
    if (this.#leave === null) throw domException('InvalidStateError', `The channel '${this.name}' was closed.`);
    const written = this.#write(message);
    // A getter of the message may have closed it.
    if (this.#leave !== null) this.#place.post(this.#sender, this.name, written);
  }

  #write(message: unknown): Written {
    try {
      return this.#place.write(message);
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

  #hear(message: Posted): void {
    if (message.name !== this.name || message.session === this.#sender.session) return;
    if (message.files.length === 0) this.#next(() => this.#event(() => this.#place.read(message)));
    else this.#later(this.#place.readWithFiles(message));
  }

  /** Each channel reads a value of its own. */
  #event(read: () => unknown): Event {
    try {
      return new MessageEvent('message', { data: read(), origin: this.#place.origin });
    } catch {
      return this.#failure();
    }
  }

  /** What waits for its files holds up what came after it. */
  #later(value: Promise<unknown>): void {
    const read = value.then(
      (data) => this.#event(() => data),
      () => this.#failure(),
    );
    this.#append(read);
  }

  #append(event: Promise<Event>): void {
    const pending = this.#afterPending(event).finally(() => {
      if (this.#pending === pending) this.#pending = null;
    });
    this.#pending = pending;
  }

  async #afterPending(event: Promise<Event>): Promise<void> {
    const before = this.#pending;
    const made = await event;
    await before;
    this.#deliver(() => made);
  }

  #next(event: () => Event): void {
    if (this.#pending === null) this.#deliver(event);
    else this.#append(Promise.resolve().then(event));
  }

  #deliver(event: () => Event): void {
    setImmediate(() => {
      if (this.#leave !== null) this.#dispatch(event());
    });
  }

  #failure(): Event {
    return new MessageEvent('messageerror', { origin: this.#place.origin });
  }
}
