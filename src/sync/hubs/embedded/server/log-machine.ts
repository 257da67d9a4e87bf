import type { JournalRecord, Machine, SnapshotRecord } from '../../../../disk/journal/machine.ts';
import { HoldfastError } from '../../../../runtime/holdfast-error.ts';
import type { HubEntry, LogHead, NewEntry } from '../../../hub.ts';
import type { Stretch } from './commits/commit-records.ts';
import { decodeEntries, decodePlaced, decodeState, decodeTrim, encodeEntries, encodeState, ENTRIES, PLACED, STATE, TRIM } from './log-records.ts';

/** A block of entries in a snapshot holds no more than this, in bytes, but for an entry that is larger by itself. */
const BLOCK_BYTES = 2 ** 18;

/** What an entry takes in memory beside its bytes and its id, about, in bytes. */
const ENTRY_OVERHEAD = 200;

/**
 * One log as its journal's records make it. Invariants:
 * - entry `first + i` is `entries[i]`; positions are never given twice, also when all entries are trimmed;
 * - no two entries have one id.
 */
export class LogMachine implements Machine<void> {
  #name = '';
  #epoch = '';
  #first = 1;
  #entries: NewEntry[] = [];
  #ids = new Set<string>();
  #size = 0;

  get name(): string {
    return this.#name;
  }

  get position(): number {
    return this.#first + this.#entries.length - 1;
  }

  /** Bytes of the entries, with what they cost beside. */
  get size(): number {
    return this.#size;
  }

  head(): LogHead {
    return { epoch: this.#epoch, position: this.position, first: this.#first };
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /**
   * The entries after a position, at least one when there is one, otherwise no more than `limit` and `bytes`.
   *
   * @throws HoldfastError `hub-trimmed`
   */
  read(after: number, limit: number, bytes: number): HubEntry[] {
    if (after + 1 < this.#first) {
      throw new HoldfastError('hub-trimmed', `Entry ${after + 1} was trimmed; the first that the hub has is ${this.#first}.`);
    }
    const entries: HubEntry[] = [];
    let left = bytes;
    for (let index = after + 1 - this.#first; entries.length < limit; index++) {
      const entry = this.#entries[index];
      if (entry === undefined || (entries.length > 0 && entry.bytes.length > left)) break;
      left -= entry.bytes.length;
      entries.push({ position: this.#first + index, bytes: entry.bytes });
    }
    return entries;
  }

  apply({ kind, payload }: JournalRecord): void {
    if (kind === ENTRIES) decodeEntries(payload, this.#append);
    else if (kind === TRIM) this.#trim(decodeTrim(payload));
    else if (kind === PLACED) this.#place(decodePlaced(payload));
    else throw unknownRecord(kind);
  }

  #place(stretch: Pick<Stretch, 'first' | 'entries'>): void {
    if (this.place(stretch)) return;
    throw new HoldfastError('journal-damaged', `Entries ${this.position + 1} to ${stretch.first - 1} of a log of this hub are not in its journal.`);
  }

  /** Takes entries by their positions, those that it has already left out; false, and nothing, where some before them are missing. */
  place({ first, entries }: Pick<Stretch, 'first' | 'entries'>): boolean {
    if (first > this.position + 1) return false;
    for (let index = this.position + 1 - first; index < entries.length; index++) {
      const entry = entries[index];
      if (entry !== undefined) this.#push(entry);
    }
    return true;
  }

  readonly #append = (entry: NewEntry): void => {
    if (!this.#ids.has(entry.id)) this.#push(entry);
  };

  #push(entry: NewEntry): void {
    this.#ids.add(entry.id);
    this.#entries.push(entry);
    this.#size += sizeOf(entry);
  }

  #trim(first: number): void {
    const count = Math.min(first, this.position + 1) - this.#first;
    if (count <= 0) return;
    for (const entry of this.#entries.splice(0, count)) {
      this.#ids.delete(entry.id);
      this.#size -= sizeOf(entry);
    }
    this.#first += count;
  }

  reset(): void {
    this.#name = '';
    this.#epoch = '';
    this.#first = 1;
    this.#entries = [];
    this.#ids = new Set();
    this.#size = 0;
  }

  restore(kind: number, payload: Uint8Array): void {
    if (kind === ENTRIES) decodeEntries(payload, this.#append);
    else if (kind === STATE) ({ name: this.#name, epoch: this.#epoch, first: this.#first } = decodeState(payload));
    else throw unknownRecord(kind);
  }

  restored(): void {
    if (this.#epoch === '') throw new HoldfastError('journal-damaged', 'The snapshot of a log of this hub does not tell its epoch.');
  }

  *snapshot(): Generator<SnapshotRecord> {
    yield { kind: STATE, payload: encodeState({ name: this.#name, epoch: this.#epoch, first: this.#first }) };
    let block: NewEntry[] = [];
    let bytes = 0;
    for (const entry of this.#entries) {
      if (block.length > 0 && bytes + entry.bytes.length > BLOCK_BYTES) {
        yield { kind: ENTRIES, payload: encodeEntries(block) };
        block = [];
        bytes = 0;
      }
      block.push(entry);
      bytes += entry.bytes.length;
    }
    if (block.length > 0) yield { kind: ENTRIES, payload: encodeEntries(block) };
  }
}

function sizeOf({ id, bytes }: NewEntry): number {
  return bytes.length + id.length + ENTRY_OVERHEAD;
}

function unknownRecord(kind: number): HoldfastError {
  return new HoldfastError('unknown-record', `A record of kind ${kind} is in a log of this hub; a newer version of Holdfast must have written it.`);
}
