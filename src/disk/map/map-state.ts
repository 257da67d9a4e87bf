import type { SetOutcome } from './map-area.ts';

/** 10 MiB, in bytes of UTF-16 over keys and values. */
export const DEFAULT_QUOTA = 10 * 2 ** 20;

export const ACCEPTED: SetOutcome = Object.freeze({ accepted: true });

/**
 * An ordered map of strings with a quota. It keeps these invariants:
 *
 * - `bytes` is the sum over all entries of two bytes for each UTF-16 code unit of key and value;
 * - no `set` makes `bytes` grow beyond `quota`; a map that a lowered quota left too full may still shrink;
 * - `#order`, where it exists, lists from `#first` on the keys of `#entries` in the same order;
 * - where `rightOrder` exists, the keys of `#entries` are the right ones in a wrong order, and no reader has seen it.
 */
export class MapState {
  #entries = new Map<string, string>();
  #bytes = 0;
  #order: string[] | null = null;
  #first = 0;
  quota = DEFAULT_QUOTA;
  /** Gives a map of the same entries in their right order: worked out only when somebody asks for it. */
  rightOrder: (() => MapState) | null = null;

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): string | undefined {
    return this.#entries.get(key);
  }

  /** What `set` would say. */
  check(key: string, value: string): SetOutcome {
    return this.#judge(growthOf(key, value, this.#entries.get(key)));
  }

  set(key: string, value: string): SetOutcome {
    const old = this.#entries.get(key);
    const growth = growthOf(key, value, old);
    const outcome = this.#judge(growth);
    if (outcome.accepted) this.#store(key, value, old === undefined, growth);
    return outcome;
  }

  /** Sets without asking the quota: for what was accepted before. */
  put(key: string, value: string): void {
    const old = this.#entries.get(key);
    this.#store(key, value, old === undefined, growthOf(key, value, old));
  }

  #judge(growth: number): SetOutcome {
    const requested = this.#bytes + growth;
    return growth <= 0 || requested <= this.quota ? ACCEPTED : { accepted: false, quota: this.quota, requested };
  }

  #store(key: string, value: string, isNew: boolean, growth: number): void {
    this.#entries.set(key, value);
    this.#bytes += growth;
    if (isNew) this.#order?.push(key);
  }

  /** False: there was no such key. */
  remove(key: string): boolean {
    const old = this.#entries.get(key);
    if (old === undefined) return false;
    this.#entries.delete(key);
    this.#bytes -= 2 * (key.length + old.length);
    this.#forgetPosition(key);
    return true;
  }

  /** False: it was empty. */
  clear(): boolean {
    const hadEntries = this.#entries.size > 0;
    this.#entries.clear();
    this.#bytes = 0;
    this.#order = null;
    this.rightOrder = null;
    return hadEntries;
  }

  /** Becomes what another map is, which is not used any more. */
  adopt(other: MapState): void {
    this.#entries = other.#entries;
    this.#bytes = other.#bytes;
    this.#order = null;
    this.rightOrder = null;
    this.quota = other.quota;
  }

  #settle(): void {
    if (this.rightOrder !== null) this.adopt(this.rightOrder());
  }

  /** The key at a position in insertion order. */
  key(index: number): string | undefined {
    this.#settle();
    return index < this.#entries.size ? this.#ordered()[this.#first + index] : undefined;
  }

  keys(): string[] {
    this.#settle();
    return [...this.#entries.keys()];
  }

  entries(): IterableIterator<[string, string]> {
    this.#settle();
    return this.#entries.entries();
  }

  /** Hands over all entries and starts empty, with the default quota. */
  takeEntries(): ReadonlyMap<string, string> {
    const entries = this.#entries;
    this.#entries = new Map();
    this.#bytes = 0;
    this.#order = null;
    this.rightOrder = null;
    this.quota = DEFAULT_QUOTA;
    return entries;
  }

  #ordered(): string[] {
    if (this.#order === null) {
      this.#order = this.keys();
      this.#first = 0;
    }
    return this.#order;
  }

  /**
   * Loops that remove the first or the last key until none is left must not rebuild the order every time. The removed
   * front is given up when it is longer than the rest, so that it costs neither memory nor, in the long run, time.
   */
  #forgetPosition(key: string): void {
    const order = this.#order;
    if (order === null) return;
    if (order.at(-1) === key) order.pop();
    else if (order[this.#first] === key && 2 * this.#first < order.length) this.#first += 1;
    else this.#order = null;
  }
}

/** How many bytes a map takes more when a value is set. */
function growthOf(key: string, value: string, old: string | undefined): number {
  return 2 * (old === undefined ? key.length + value.length : value.length - old.length);
}
