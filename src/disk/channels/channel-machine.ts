import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { JournalRecord, Machine, SnapshotRecord } from '../journal/machine.ts';
import {
  COUNT,
  decodeCount,
  decodeDown,
  decodeEcho,
  decodeForeign,
  decodeMessage,
  decodeSpan,
  decodeUp,
  decodeWaiting,
  DOWN,
  ECHO,
  encodeCount,
  encodeSpan,
  encodeWaiting,
  FOREIGN,
  type MessageParts,
  MESSAGE,
  POST,
  SPAN,
  UP,
  WAITING,
} from './channel-records.ts';
import { Span, type SpanEffects } from './span.ts';

/** A message as it was posted. */
export interface ChannelMessage extends MessageParts {
  /** Who posted it; 0: somebody in another region. */
  readonly session: number;
}

/** Hears of messages, in the order in which all agree. Must not throw, nor post. */
export interface ChannelListener {
  message(message: ChannelMessage): void;
  /** Some messages are gone unheard: whoever should have heard them slept for too long, or was cut off from the hub. */
  missed(): void;
}

/** Hears what the machine knows. */
export interface MachineListener extends ChannelListener {
  /** Messages are gone unheard for those who were there when the root followed its hub the last time. */
  cutOff(): void;
  /** The root follows its hub from now on. */
  follows(): void;
}

/**
 * The state machine behind a bucket's channels. Its state is how many messages there were, and nothing of them but what
 * waits for its place in a hub's order: so a compaction is what takes messages off the disk.
 */
export class ChannelMachine implements Machine<void> {
  /** Messages are decoded only while there is one. */
  listener: MachineListener | null = null;
  /** How the channels follow a hub. */
  readonly span = new Span();
  /** Of what was delivered, and how often some were missed. */
  #count = 0;
  /** The count before a snapshot began to replace it. */
  #before = 0;

  /** Records since the last snapshot. */
  recent = 0;

  readonly #effects: SpanEffects = {
    deliver: (message, session) => this.#deliver(message, session),
    missed: () => this.#miss(),
    follows: () => this.listener?.follows(),
  };

  apply({ kind, session, sequence, payload }: JournalRecord): void {
    this.recent += 1;
    if (kind === MESSAGE) this.#deliver(payload, session);
    else if (kind === POST) this.span.post({ session, sequence, message: payload }, this.#effects);
    else this.#follow(kind, payload);
  }

  #follow(kind: number, payload: Uint8Array): void {
    const { span } = this;
    if (kind === ECHO) return span.echo(decodeEcho(payload), this.#effects);
    if (kind === FOREIGN) return span.foreign(decodeForeign(payload), this.#effects);
    if (kind === UP) {
      const { link, ...place } = decodeUp(payload);
      return span.up(link, place, this.#effects);
    }
    if (kind !== DOWN) throw unknown(kind);
    span.down(decodeDown(payload), this.#effects);
  }

  #deliver(message: Uint8Array, session: number): void {
    this.#count += 1;
    if (this.listener !== null) this.listener.message({ ...decodeMessage(message), session });
  }

  #miss(): void {
    this.#count += 1;
    this.listener?.cutOff();
  }

  reset(): void {
    this.#before = this.#count;
    this.#count = 0;
    this.recent = 0;
    this.span.reset();
  }

  restore(kind: number, payload: Uint8Array): void {
    if (kind === COUNT) this.#count = decodeCount(payload);
    else if (kind === SPAN) this.span.restore(decodeSpan(payload));
    else if (kind === WAITING) this.span.restoreWaiting(decodeWaiting(payload));
    else throw unknown(kind);
  }

  /** Whoever listens has heard all until now, also where there was no journal yet. */
  restored(): void {
    if (this.#count !== this.#before) this.listener?.missed();
  }

  *snapshot(): Generator<SnapshotRecord> {
    yield { kind: COUNT, payload: encodeCount(this.#count) };
    const { record, waiting } = this.span;
    if (record === null) return;
    yield { kind: SPAN, payload: encodeSpan(record) };
    for (const post of waiting) yield { kind: WAITING, payload: encodeWaiting(post) };
  }

  get weight(): number {
    return this.span.bytes;
  }
}

function unknown(kind: number): HoldfastError {
  return new HoldfastError('unknown-record', `A record of kind ${kind} is in the journal of a bucket's channels; a newer version of Holdfast must have written it.`);
}
