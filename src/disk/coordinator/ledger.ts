import type { CallerRecord, CallId, Fate } from './owned-records.ts';

/** Callers that are remembered: those whose calls changed something most recently. */
export const REMEMBERED_CALLERS = 1024;

/** Calls of one caller that are remembered though it has not said that it got their results. */
export const REMEMBERED_CALLS = 4096;

interface Caller {
  /** It has the results of all calls up to this one. */
  got: number;
  readonly calls: Map<number, Fate>;
}

/**
 * What became of the calls that have changed something, as long as their callers may ask. It keeps these invariants:
 *
 * - what it says depends on the records of the journal alone, so that whoever owns next says the same;
 * - a call is `begun` until it has ended, and what it has ended with never changes;
 * - of a call at or below `got` nothing is known any more, and nobody asks.
 */
export class Ledger {
  /** The least recent first. */
  readonly #callers = new Map<number, Caller>();

  /** Null: it has changed nothing, as far as is remembered; `got`: its caller has said that it has the result. */
  fate({ caller, number }: CallId): Fate | 'got' | null {
    const known = this.#callers.get(caller);
    if (known === undefined) return null;
    return number <= known.got ? 'got' : (known.calls.get(number) ?? null);
  }

  begin({ caller, number }: CallId): void {
    this.#set(caller, number, { kind: 'begun' });
  }

  end({ caller, number }: CallId, fate: Fate): void {
    this.#set(caller, number, fate);
  }

  #set(caller: number, number: number, fate: Fate): void {
    const known = this.#recent(caller);
    const before = known.calls.get(number);
    if (number <= known.got || (before !== undefined && before.kind !== 'begun')) return;
    known.calls.set(number, fate);
    if (known.calls.size > REMEMBERED_CALLS) this.#forgetFirst(known);
  }

  #recent(caller: number): Caller {
    const known = this.#callers.get(caller) ?? { got: 0, calls: new Map<number, Fate>() };
    this.#callers.delete(caller);
    this.#callers.set(caller, known);
    if (this.#callers.size > REMEMBERED_CALLERS) for (const [least] of this.#callers) return this.#drop(least, known);
    return known;
  }

  #drop(least: number, known: Caller): Caller {
    this.#callers.delete(least);
    return known;
  }

  /** The oldest: nothing is known any more of it and those before. */
  #forgetFirst(known: Caller): void {
    this.#settle([...known.calls.keys()].reduce((least, number) => Math.min(least, number)), known);
  }

  /** The caller has the results of all calls up to `number`. */
  acknowledge({ caller, number }: CallId): void {
    const known = this.#callers.get(caller);
    if (known !== undefined) this.#settle(number, known);
  }

  #settle(number: number, known: Caller): void {
    if (number <= known.got) return;
    known.got = number;
    for (const each of known.calls.keys()) if (each <= number) known.calls.delete(each);
  }

  clear(): void {
    this.#callers.clear();
  }

  /** The least recent first. */
  *records(): Generator<CallerRecord> {
    for (const [caller, { got, calls }] of this.#callers) yield { caller, got, calls };
  }

  restore({ caller, got, calls }: CallerRecord): void {
    this.#callers.set(caller, { got, calls: new Map(calls) });
  }
}
