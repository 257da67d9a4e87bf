import { Ownership } from '../../../../../disk/coordinator/ownership.ts';
import type { JournalRecord, Machine, SnapshotRecord } from '../../../../../disk/journal/machine.ts';
import type { NewEntry } from '../../../../hub.ts';
import { COMMIT, decodeState, decodeStretches, encodeState, encodeStretches, OWN, STATE, TAIL, unknownCommit, type Stretch } from './commit-records.ts';

/** The entries of one log that its own journal may not have yet. */
interface Tail {
  readonly name: string;
  readonly epoch: string;
  first: number;
  readonly entries: NewEntry[];
}

/** A record of a snapshot holds about so many bytes of entries. */
const BLOCK_BYTES = 2 ** 18;

/**
 * What a hub has committed, as its commit journal's records make it. Invariants, with those of {@link Ownership}:
 * - a COMMIT has effect as a whole;
 * - a tail has no gaps, and what was committed last of a position counts: a commit of which nobody knew whether it had
 *   landed is there twice, and a log that was restored goes on before where it had been.
 */
export class CommitMachine implements Machine<boolean> {
  readonly ownership = new Ownership();
  readonly #tails = new Map<string, Tail>();

  tail(name: string): Stretch | undefined {
    return this.#tails.get(name);
  }

  /** The logs with a tail. */
  names(): string[] {
    return [...this.#tails.keys()];
  }

  /** A log's own journal has all up to a position. */
  settle(name: string, position: number): void {
    const tail = this.#tails.get(name);
    if (tail === undefined) return;
    const count = position + 1 - tail.first;
    if (count >= tail.entries.length) this.#tails.delete(name);
    else if (count > 0) tail.first += tail.entries.splice(0, count).length;
  }

  apply(record: JournalRecord): boolean {
    if (record.kind === OWN) return this.ownership.own(record);
    if (record.kind !== COMMIT) throw unknownCommit(`A record of kind ${record.kind}`);
    if (!this.ownership.admit(record)) return false;
    decodeStretches(record.payload, this.#add);
    return true;
  }

  readonly #add = ({ name, epoch, first, entries }: Stretch): void => {
    const tail = this.#tails.get(name);
    if (tail === undefined || !adjoins(tail, epoch, first)) return void this.#tails.set(name, { name, epoch, first, entries: [...entries] });
    tail.entries.length = first - tail.first;
    for (const entry of entries) tail.entries.push(entry);
  };

  reset(): void {
    this.ownership.reset();
    this.#tails.clear();
  }

  restore(kind: number, payload: Uint8Array): void {
    if (kind === TAIL) return decodeStretches(payload, this.#add);
    if (kind !== STATE) throw unknownCommit(`A snapshot's record of kind ${kind}`);
    const { epoch, session, address } = decodeState(payload);
    this.ownership.epoch = epoch;
    this.ownership.owner = session === 0 ? null : { session, address };
  }

  restored(): void {
    // Whoever asks for a tail is told what it is by then.
  }

  *snapshot(): Generator<SnapshotRecord> {
    const { epoch, owner } = this.ownership;
    yield { kind: STATE, payload: encodeState({ epoch, session: owner?.session ?? 0, address: owner?.address ?? '' }) };
    for (const block of blocks(this.#tails.values())) yield { kind: TAIL, payload: encodeStretches(block) };
  }
}

function adjoins(tail: Tail, epoch: string, first: number): boolean {
  return tail.epoch === epoch && tail.first <= first && first <= tail.first + tail.entries.length;
}

/** All tails, in pieces that one record can hold. */
function* blocks(tails: Iterable<Tail>): Generator<Stretch[]> {
  let block: Stretch[] = [];
  let bytes = 0;
  for (const stretch of pieces(tails)) {
    block.push(stretch);
    bytes += stretch.entries.reduce((sum, entry) => sum + entry.bytes.length, 0);
    if (bytes < BLOCK_BYTES) continue;
    yield block;
    block = [];
    bytes = 0;
  }
  if (block.length > 0) yield block;
}

function* pieces(tails: Iterable<Tail>): Generator<Stretch> {
  for (const { name, epoch, first, entries } of tails) {
    let from = 0;
    let bytes = 0;
    for (const [index, entry] of entries.entries()) {
      bytes += entry.bytes.length;
      if (bytes < BLOCK_BYTES && index + 1 < entries.length) continue;
      yield { name, epoch, first: first + from, entries: entries.slice(from, index + 1) };
      from = index + 1;
      bytes = 0;
    }
  }
}
