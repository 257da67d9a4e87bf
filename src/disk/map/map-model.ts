import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { damaged } from '../replica/byte-reader.ts';
import type { ByteReader } from '../replica/byte-reader.ts';
import type { ByteWriter } from '../replica/byte-writer.ts';
import type { Model, Refusal } from '../replica/model.ts';
import type { Operation } from '../replica/operation.ts';
import { isAsExpected, judge } from './map-batch.ts';
import type { MapBatch } from './map-batch.ts';
import { decodeOperation } from './map-operation.ts';
import type { KeyChange, MapOperation } from './map-operation.ts';
import { ADD, BARRIER, COMPARE, entryBlocks, isOperation, LIMIT, RecordReader, RecordWriter } from './map-records.ts';
import { DEFAULT_QUOTA, MapState } from './map-state.ts';
import { performSteps } from './map-steps.ts';

const reader = new RecordReader();

/**
 * The map that a hub's order makes: the confirmed base, the same in every region, order of keys and quota included.
 * The bytes of operations come from other regions and are trusted in nothing.
 */
export class MapModel implements Model {
  /** Swapped as a whole by `read`. */
  base = new MapState();

  knows(kind: number): boolean {
    return isOperation(kind);
  }

  isAwaited(kind: number): boolean {
    return kind === COMPARE || kind === BARRIER;
  }

  /** (9) The quota is that of the base, at this place in the order. */
  confirm(operation: Operation): Refusal | null {
    let asked: MapOperation;
    try {
      asked = decodeOperation(operation, '');
    } catch {
      return 'damaged';
    }
    return this.#confirm(asked);
  }

  #confirm(asked: MapOperation): Refusal | null {
    if (asked.asks === 'change') return this.#change(asked);
    if (asked.asks === 'batch') return this.#perform(asked.batch);
    if (asked.asks === 'clear') this.base.clear();
    else if (asked.asks === 'limit') this.base.quota = asked.quota;
    return null;
  }

  #perform(batch: MapBatch): Refusal | null {
    if (!isAsExpected(batch, this.base)) return 'expected';
    if (!judge(batch.steps, this.base).accepted) return 'quota';
    performSteps(this.base, batch.steps);
    return null;
  }

  #change({ key, value, expected, adds }: KeyChange): Refusal | null {
    const present = this.base.get(key) ?? null;
    const isWanted = present === value;
    if (expected !== undefined && expected !== present) return isWanted && adds === true ? null : 'expected';
    if (isWanted) return null;
    if (value !== null) return this.base.set(key, value).accepted ? null : 'quota';
    this.base.remove(key);
    return null;
  }

  clear(): void {
    this.base = new MapState();
  }

  /** The quota, then blocks of entries to the end. */
  write(writer: ByteWriter): void {
    writer.integer(this.base.quota);
    for (const block of entryBlocks(new RecordWriter(), this.base.entries())) writer.bytes(block);
  }

  /** Must be the last that is read. Throws before it has changed anything. */
  read(bytes: ByteReader): void {
    const base = new MapState();
    base.quota = bytes.integer();
    while (!bytes.atEnd) readBlock(bytes.bytes(), base);
    this.base = base;
  }

  *seeds(): Generator<{ readonly kind: number; readonly payload: Uint8Array }> {
    const writer = new RecordWriter();
    // What a larger quota let in must find it.
    if (this.base.quota !== DEFAULT_QUOTA) yield { kind: LIMIT, payload: new Uint8Array(writer.number(this.base.quota)) };
    for (const [key, value] of this.base.entries()) {
      yield { kind: ADD, payload: new Uint8Array(writer.set('', '', key, value)) };
    }
  }
}

function readBlock(block: Uint8Array, base: MapState): void {
  try {
    reader.entries(block, (key, value) => {
      if (base.get(key) !== undefined) throw damaged('a key is there twice');
      base.put(key, value);
    });
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'hub-damaged') throw error;
    throw damaged('entries of a map cannot be read');
  }
}
