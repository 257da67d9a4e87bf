import type { JournalRecord, Machine, SnapshotRecord } from '../journal/machine.ts';
import { BARRIER, CLEAR, COMPARE, damaged, ENTRIES, LIMIT, RecordReader, REMOVE, RULES, SET } from './map-records.ts';
import { MapMachine } from './map-machine.ts';

/**
 * Passes over what a payload holds, and makes nothing of it. Where a part is longer than the whole, whatever is read
 * next, or the end, finds that out.
 */
class Skimmer {
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;

  begin(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#at = 0;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    const value = this.#bytes[this.#at];
    if (value === undefined) throw damaged('it ends early');
    this.#at += 1;
    return value;
  }

  integer(): number {
    const first = this.byte();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let scale = 0x80; ; scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (!Number.isSafeInteger(value)) throw damaged('a number is too large');
      if (byte < 0x80) return value;
    }
  }

  string(wide: boolean): string {
    const length = this.integer();
    if (wide && length % 2 !== 0) throw damaged('a string of two-byte units has an odd length');
    this.#at += length;
    return '';
  }

  end(): void {
    if (!this.atEnd) throw damaged('bytes are left over');
  }
}

const reader = new RecordReader(new Skimmer());
const ignore = (): void => {};

/**
 * Finds what makes no sense in a map's journal as its machine does, and keeps nothing of the map: many times faster where
 * records are small. What it cannot judge without the map, a hub's order, it leaves to that machine (`thorough`).
 */
export class MapSkim implements Machine<void> {
  readonly #ownUrl: string;
  #thorough: MapMachine | null = null;

  constructor(ownUrl: string) {
    this.#ownUrl = ownUrl;
  }

  /** What has to look at the whole journal instead; null: this one has seen to everything. */
  get thorough(): Machine<unknown> | null {
    return this.#thorough;
  }

  apply({ kind, payload }: JournalRecord): void {
    if (kind === SET) reader.set(payload);
    else if (kind === REMOVE) reader.remove(payload);
    else if (kind === CLEAR) reader.clear(payload);
    else if (kind === COMPARE) reader.compare(payload);
    else if (kind === BARRIER) reader.barrier(payload);
    else this.#either(kind, payload);
  }

  restore(kind: number, payload: Uint8Array): void {
    if (kind === ENTRIES) reader.entries(payload, ignore);
    else this.#either(kind, payload);
  }

  /** What records and snapshots have. */
  #either(kind: number, payload: Uint8Array): void {
    if (kind === LIMIT) reader.number(payload);
    else if (kind === RULES) reader.rules(payload);
    else this.#thorough ??= new MapMachine(this.#ownUrl);
  }

  reset(): void {
    // Nothing was kept.
  }

  restored(): void {
    // As above.
  }

  snapshot(): Iterable<SnapshotRecord> {
    return [];
  }
}
