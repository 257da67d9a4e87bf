import type { CallerRecord, CallId, Fate } from './owned-records.ts';

/** Callers that are remembered: those whose calls changed something most recently. */
export const REMEMBERED_CALLERS = 1024;

/** Calls of one caller that are remembered though it has not said that it got their results. */
export const REMEMBERED_CALLS = 4096;

/** What is remembered of one caller. Mostly it waits for one call, and a map would take more than all else. */
class Caller {
  readonly caller: number;
  /** It has the results of all calls up to this one. */
  got: number;
  /** 0: none; else one of its calls. */
  #number = 0;
  #fate: Fate | null = null;
  /** All others. */
  #others: Map<number, Fate> | null = null;

  constructor(caller: number, got = 0) {
    this.caller = caller;
    this.got = got;
  }

  get size(): number {
    return (this.#fate === null ? 0 : 1) + (this.#others?.size ?? 0);
  }

  get(number: number): Fate | null {
    return number === this.#number ? this.#fate : (this.#others?.get(number) ?? null);
  }

  set(number: number, fate: Fate): void {
    if (this.#fate === null && this.#others?.has(number) !== true) this.#number = number;
    if (number === this.#number) this.#fate = fate;
    else (this.#others ??= new Map()).set(number, fate);
  }

  /** It has the results of all calls up to `number`. */
  settle(number: number): void {
    if (number <= this.got) return;
    this.got = number;
    if (this.#number <= number) this.#number = 0;
    if (this.#number === 0) this.#fate = null;
    if (this.#others !== null) for (const each of this.#others.keys()) if (each <= number) this.#others.delete(each);
  }

  /** The oldest: nothing is known any more of it and those before. */
  forgetFirst(): void {
    this.settle(Array.from(this.#calls(), ([number]) => number).reduce((least, number) => Math.min(least, number)));
  }

  get record(): CallerRecord {
    return { caller: this.caller, got: this.got, calls: this.#calls() };
  }

  *#calls(): Generator<readonly [number: number, fate: Fate]> {
    if (this.#fate !== null) yield [this.#number, this.#fate];
    if (this.#others !== null) yield* this.#others;
  }
}

/**
 * What became of the calls that have changed something, as long as their callers may ask. It keeps these invariants:
 *
 * - what it says depends on the records of the journal alone, so that whoever owns next says the same;
 * - a call is `begun` until it has ended, and what it has ended with never changes;
 * - of a call at or below `got` nothing is known any more, and nobody asks.
 */
export class Ledger {
  /** The most recent one. */
  #recent: Caller | null = null;
  /** All before it, the least recent first; null: there were none. */
  #others: Map<number, Caller> | null = null;

  /** Null: it has changed nothing, as far as is remembered; `got`: its caller has said that it has the result. */
  fate({ caller, number }: CallId): Fate | 'got' | null {
    const known = this.#of(caller);
    if (known === undefined) return null;
    return number <= known.got ? 'got' : known.get(number);
  }

  #of(caller: number): Caller | undefined {
    return this.#recent?.caller === caller ? this.#recent : this.#others?.get(caller);
  }

  begin({ caller, number }: CallId): void {
    this.#set(caller, number, { kind: 'begun' });
  }

  end({ caller, number }: CallId, fate: Fate): void {
    this.#set(caller, number, fate);
  }

  #set(caller: number, number: number, fate: Fate): void {
    const known = this.#recent?.caller === caller ? this.#recent : this.#makeRecent(this.#others?.get(caller) ?? new Caller(caller));
    const before = known.get(number);
    if (number <= known.got || (before !== null && before.kind !== 'begun')) return;
    known.set(number, fate);
    if (known.size > REMEMBERED_CALLS) known.forgetFirst();
  }

  #makeRecent(known: Caller): Caller {
    this.#others?.delete(known.caller);
    if (this.#recent !== null) (this.#others ??= new Map()).set(this.#recent.caller, this.#recent);
    this.#recent = known;
    if ((this.#others?.size ?? 0) >= REMEMBERED_CALLERS) this.#forgetCaller();
    return known;
  }

  #forgetCaller(): void {
    for (const least of this.#others?.keys() ?? []) {
      this.#others?.delete(least);
      return;
    }
  }

  /** The caller has the results of all calls up to `number`. */
  acknowledge({ caller, number }: CallId): void {
    this.#of(caller)?.settle(number);
  }

  clear(): void {
    this.#recent = this.#others = null;
  }

  /** The least recent first. */
  *records(): Generator<CallerRecord> {
    for (const known of this.#others?.values() ?? []) yield known.record;
    if (this.#recent !== null) yield this.#recent.record;
  }

  restore({ caller, got, calls }: CallerRecord): void {
    const known = this.#makeRecent(new Caller(caller, got));
    for (const [number, fate] of calls) known.set(number, fate);
  }
}
