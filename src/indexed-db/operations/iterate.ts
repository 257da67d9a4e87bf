import type { StoredRecord } from '../../disk/records/record-database.ts';
import type { Cursor, Target } from '../model/cursor.ts';
import { LongWork, type Operation, type Pause } from '../model/operation.ts';
import { valueOf } from './retrieve.ts';

/** How many records may be passed over at once. */
const PASSED_AT_ONCE = 32;

/** https://w3c.github.io/IndexedDB/#iterate-a-cursor. The result is the cursor's object, or null at the end. */
export class Iterate implements Operation {
  readonly ready = null;
  readonly #cursor: Cursor;
  readonly #object: object;
  readonly #target: Target | null;
  readonly #count: number;

  constructor(cursor: Cursor, object: object, target: Target | null, count: number) {
    this.#cursor = cursor;
    this.#object = object;
    this.#target = target;
    this.#count = count;
  }

  run(): unknown {
    if (this.#count > PASSED_AT_ONCE) return new LongWork(this.#farAway());
    let record = this.#cursor.find(this.#target);
    for (let left = this.#count - 1; left > 0 && record !== undefined; left--) record = this.#cursor.find(null);
    return this.#arrive(record);
  }

  *#farAway(): Generator<Pause, unknown, unknown> {
    let record = this.#cursor.find(this.#target);
    for (let left = this.#count - 1; left > 0 && record !== undefined; left--) {
      record = this.#cursor.find(null);
      if (left % PASSED_AT_ONCE === 0) yield;
    }
    const result = this.#arrive(record);
    return result instanceof LongWork ? yield* result.steps : result;
  }

  #arrive(record: StoredRecord | undefined): unknown {
    if (record === undefined) {
      this.#cursor.arriveNowhere();
      return null;
    }
    const value = record.value === null ? undefined : valueOf(this.#cursor.transaction, record.value);
    if (value instanceof LongWork) return new LongWork(this.#whenRead(record, value));
    this.#cursor.arrive(record, value);
    return this.#object;
  }

  *#whenRead(record: StoredRecord, value: LongWork): Generator<Pause, object, unknown> {
    this.#cursor.arrive(record, yield* value.steps);
    return this.#object;
  }
}
