import type { Operation } from '../../disk/replica/operation.ts';
import type { Replica } from '../../disk/replica/replica.ts';
import type { Incarnation } from '../../disk/replica/incarnation.ts';
import type { HubLog } from '../hub.ts';
import { ANSWER_MS } from './follower.ts';
import type { Line } from './line.ts';
import type { Surroundings } from './surroundings.ts';
import { BLOB_ANSWER_MS } from './unpacking.ts';
import type { Parcel, Wire } from './wire.ts';

/** Of one batch. */
const MOST_OPERATIONS = 512;
/** Payloads of one batch, in bytes, wherever they travel: it becomes one record of every journal. */
const MOST_BYTES = 2 ** 22;
/** Batches that no echo has confirmed. */
const MOST_BATCHES = 8;
/** How long a batch that the hub took may remain without its echo before it is sent again. */
export const RESEND_MS = 10_000;

/** What an entry is before it has a place. */
interface Outgoing {
  readonly id: string;
  readonly incarnation: Incarnation;
  readonly first: number;
  readonly count: number;
  readonly operations: readonly Operation[];
  readonly parcel: Parcel;
  /** Where the hub said that it is, or before; null while it has not. */
  taken: { readonly position: number; readonly time: number } | null;
}

export interface OutboxOptions {
  readonly log: HubLog;
  readonly line: Line;
  readonly wire: Wire;
  readonly surroundings: Pick<Surroundings, 'now'>;
  /** As `ReplicatorOptions.prepare`. */
  prepare(operations: readonly Operation[]): Promise<readonly string[]>;
  /** The call that was under way has ended, well or not. */
  onAnswer(isWell: boolean): void;
}

/**
 * Sends what is pending. It keeps these invariants:
 *
 * - (3) what was sent and not echoed is a prefix of the pending operations, all of one incarnation, and bounded;
 * - one call is under way at a time: calls that overlap may be ordered either way, and what overtakes is sent in vain;
 * - the same id is the same operations; what the hub took and the order ignored gets another id, since a hub that knows
 *   the id would not take it again.
 *
 * A call takes all that is pending by then: single writes go at once, a burst goes in few batches.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  #sent: Outgoing[] = [];
  /** How often something was ignored: a part of ids from the first time on. */
  #attempt = 0;
  #calling = false;
  #failure: { readonly error: unknown } | null = null;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** The highest position at which the hub said it had put something; 0 when nothing waits for its echo. */
  get taken(): number {
    return this.#sent.reduce((most, { taken }) => Math.max(most, taken?.position ?? 0), 0);
  }

  /** Whether something waits for its echo. */
  get isWaiting(): boolean {
    return this.#sent.length > 0;
  }

  /** The base was replaced: what is sent from now on is put together on the new one. */
  startAgain(): void {
    this.#attempt += 1;
    this.#sent = [];
  }

  /**
   * Begins to send what may be sent now, and returns at once; `onAnswer` is called when there may be more.
   *
   * @throws what the call before has failed with
   */
  pump(replica: Replica): void {
    if (this.#calling) return;
    const failure = this.#failure;
    this.#failure = null;
    if (failure !== null) throw failure.error;
    this.#settle(replica);
    this.#compose(replica);
    const unsent = this.#sent.filter(({ taken }) => taken === null);
    if (unsent.length > 0) void this.#send(unsent);
  }

  /** Compares what was sent with what the order has made of it. */
  #settle(replica: Replica): void {
    const head = replica.pending.at(0);
    const isEchoed = ({ incarnation, first, count }: Outgoing): boolean =>
      incarnation !== head?.incarnation || first + count <= head.number;
    while (this.#sent[0] !== undefined && isEchoed(this.#sent[0])) this.#sent.shift();
    const next = this.#sent[0];
    if (next === undefined || head === undefined) return;
    if (next.first !== head.number) this.#sent = [];
    else if (next.taken !== null) this.#review(next.taken, replica);
  }

  #review({ position, time }: NonNullable<Outgoing['taken']>, replica: Replica): void {
    if (replica.position >= position) {
      // It has a place in the order and had no effect there: something before it was lost on the way.
      this.startAgain();
    } else if (Math.abs(this.#options.surroundings.now() - time) >= RESEND_MS) {
      for (const batch of this.#sent) batch.taken = null;
    }
  }

  #compose(replica: Replica): void {
    let index = this.#sent.reduce((sum, { count }) => sum + count, 0);
    while (this.#sent.length < MOST_BATCHES) {
      const batch = this.#composeFrom(index, replica);
      if (batch === null) return;
      this.#sent.push(batch);
      index += batch.count;
    }
  }

  #composeFrom(index: number, replica: Replica): Outgoing | null {
    const { pending, region } = replica;
    const item = pending.at(index);
    // (3) The next incarnation waits until the order has all of this one: or it could come before the rest of it.
    if (item === undefined || item.incarnation !== pending.at(0)?.incarnation) return null;
    const { incarnation, number: first } = item;
    const operations = this.#take(index, replica);
    const previous = pending.chainBefore(index);
    const parcel = this.#options.wire.encode({ incarnation, region, first, previous, operations }, replica);
    const id = this.#idOf(incarnation, first, operations.length);
    return { id, incarnation, first, count: operations.length, operations, parcel, taken: null };
  }

  #take(index: number, { pending }: Replica): Operation[] {
    const { wire } = this.#options;
    const incarnation = pending.at(index)?.incarnation;
    const operations: Operation[] = [];
    let cost = 0;
    let bytes = 0;
    while (operations.length < MOST_OPERATIONS) {
      const item = pending.at(index + operations.length);
      if (item?.incarnation !== incarnation || item === undefined) break;
      cost += wire.costOf(item.operation);
      bytes += item.operation.payload.length;
      if (operations.length > 0 && (cost > wire.room || bytes > MOST_BYTES)) break;
      operations.push(item.operation);
    }
    return operations;
  }

  #idOf(incarnation: Incarnation, first: number, count: number): string {
    const id = `${incarnation}.${first.toString(36)}-${count.toString(36)}`;
    return this.#attempt === 0 ? id : `${id}.${this.#attempt.toString(36)}`;
  }

  async #send(batches: readonly Outgoing[]): Promise<void> {
    this.#calling = true;
    const { log, line, surroundings } = this.#options;
    try {
      const named = await this.#options.prepare(batches.flatMap(({ operations }) => operations));
      const blobs = [...named, ...(await this.#putBlobs(batches))];
      const entries = batches.map(({ id, parcel }) => ({ id, bytes: parcel.bytes }));
      const position = await line.ask('to append', ANSWER_MS, () => log.append(entries, blobs));
      const taken = { position, time: surroundings.now() };
      for (const batch of batches) batch.taken = taken;
    } catch (error) {
      // Whether it was appended is unknown: it is sent again as it was.
      this.#failure = { error };
    }
    this.#calling = false;
    this.#options.onAnswer(this.#failure === null);
  }

  /**
   * (14) An entry is sent only when the blobs that it names can be read; and it is taken only while they can, for the
   * hub is told of them: somebody may collect blobs meanwhile. Gives their names.
   */
  async #putBlobs(batches: readonly Outgoing[]): Promise<readonly string[]> {
    const { log, line } = this.#options;
    const blobs = new Map(batches.flatMap(({ parcel }) => [...parcel.blobs]));
    if (blobs.size === 0) return [];
    const there = await line.ask('which blobs it has', ANSWER_MS, () => log.hasBlobs([...blobs.keys()]));
    for (const [name, bytes] of blobs) {
      if (!there.has(name)) await line.ask('to keep a blob', BLOB_ANSWER_MS, () => log.putBlob(name, bytes));
    }
    return [...blobs.keys()];
  }
}
