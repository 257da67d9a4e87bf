import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { JournalRecord, Machine, SnapshotRecord } from '../journal/machine.ts';
import { COUNT, decodeCount, decodeMessage, encodeCount, MESSAGE } from './channel-records.ts';

/** A message as it was posted. */
export interface ChannelMessage {
  readonly name: string;
  /** Who posted it. */
  readonly session: number;
  /** As `writeValue` wrote it. */
  readonly value: Uint8Array;
}

/** Hears of messages, in the order in which all agree. Must not throw, nor post. */
export interface ChannelListener {
  message(message: ChannelMessage): void;
  /** Some messages are gone unheard: whoever should have heard them slept for too long. */
  missed(): void;
}

/**
 * The state machine behind a bucket's channels. Its state is how many messages there were, and nothing of them: so a
 * compaction is what takes messages off the disk.
 */
export class ChannelMachine implements Machine<void> {
  /** Messages are decoded only while there is one. */
  listener: ChannelListener | null = null;
  #count = 0;
  /** The count before a snapshot began to replace it. */
  #before = 0;

  /** Messages since the last snapshot. */
  recent = 0;

  apply({ kind, session, payload }: JournalRecord): void {
    if (kind !== MESSAGE) throw unknown(kind);
    this.#count += 1;
    this.recent += 1;
    if (this.listener !== null) this.listener.message({ ...decodeMessage(payload), session });
  }

  reset(): void {
    this.#before = this.#count;
    this.#count = 0;
    this.recent = 0;
  }

  restore(kind: number, payload: Uint8Array): void {
    if (kind !== COUNT) throw unknown(kind);
    this.#count = decodeCount(payload);
  }

  /** Whoever listens has heard all until now, also where there was no journal yet. */
  restored(): void {
    if (this.#count !== this.#before) this.listener?.missed();
  }

  *snapshot(): Generator<SnapshotRecord> {
    yield { kind: COUNT, payload: encodeCount(this.#count) };
  }
}

function unknown(kind: number): HoldfastError {
  return new HoldfastError('unknown-record', `A record of kind ${kind} is in the journal of a bucket's channels; a newer version of Holdfast must have written it.`);
}
