import type { Action, Result } from './history.ts';

/*
 * What each action must do and tell if they were done one after the other. An object is a set of keys with values: the
 * items of a Storage, or the files (with their contents) and directories below a directory.
 */

/** The value of a directory. */
const DIRECTORY = '/';

/** One state of an object; equal states are the same object. */
export interface State {
  readonly text: string;
  readonly values: ReadonlyMap<string, string>;
}

/** How much an object may hold. */
export interface Limit {
  readonly bytes: number;
  readonly weigh: (key: string, value: string) => number;
}

/** Interns states, so that they can be compared and counted. */
export class States {
  readonly #known = new Map<string, State>();
  readonly #limit: Limit | undefined;
  readonly empty: State = this.#intern(new Map());

  constructor(limit?: Limit) {
    this.#limit = limit;
  }

  #intern(values: ReadonlyMap<string, string>): State {
    const text = JSON.stringify([...values].sort(([a], [b]) => (a < b ? -1 : 1)));
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const state = { text, values };
    this.#known.set(text, state);
    return state;
  }

  #with(state: State, key: string, value: string): State {
    return state.values.get(key) === value ? state : this.#intern(new Map(state.values).set(key, value));
  }

  #without(state: State, isGone: (key: string) => boolean): State {
    return this.#intern(new Map([...state.values].filter(([key]) => !isGone(key))));
  }

  /**
   * The state after `action`, or null if it could not have told `result` in this one. `undefined` as a result: nobody
   * knows what it told, and where it had no effect the state is the same.
   */
  after(state: State, action: Action, result: Result | undefined): State | null {
    const told = (value: Result): boolean => result === undefined || same(result, value);
    const { values } = state;
    switch (action.do) {
      case 'get':
        return told(values.get(action.key) ?? null) ? state : null;
      case 'look':
        return told(values.has(action.key)) ? state : null;
      case 'list':
        return told([...values.keys()].sort()) ? state : null;
      case 'set':
        return this.#set(state, action.key, action.value, told);
      case 'clear':
        return this.#without(state, () => true);
      case 'remove':
      case 'rmtree':
        // removeItem() tells nothing.
        if (result !== null && !told(values.has(action.key))) return null;
        return this.#without(state, (key) => key === action.key || key.startsWith(`${action.key}/`));
      case 'create':
        return this.#create(state, action.key, '', told);
      case 'mkdir':
        return this.#create(state, action.key, DIRECTORY, told);
      case 'replace':
        // Whoever replaces a file's content holds a lock on the file, so that nobody can have removed it.
        return values.has(action.key) && told(true) ? this.#with(state, action.key, action.value) : null;
      case 'move':
        return this.#move(state, action.key, action.to, told);
    }
  }

  /** Tells false where there is no room for it. */
  #set(state: State, key: string, value: string, told: (value: Result) => boolean): State | null {
    const next = this.#with(state, key, value);
    if (!this.#isRoomFor(state, next)) return told(false) ? state : null;
    return told(null) ? next : null;
  }

  /** What takes no more than before always fits. */
  #isRoomFor(state: State, next: State): boolean {
    if (this.#limit === undefined) return true;
    const { bytes, weigh } = this.#limit;
    const weightOf = ({ values }: State): number => [...values].reduce((sum, [key, value]) => sum + weigh(key, value), 0);
    return weightOf(next) <= Math.max(bytes, weightOf(state));
  }

  #create(state: State, key: string, value: string, told: (value: Result) => boolean): State | null {
    const slash = key.lastIndexOf('/');
    if (slash > 0 && !state.values.has(key.slice(0, slash))) return told(false) ? state : null;
    if (!told(true)) return null;
    return state.values.has(key) ? state : this.#with(state, key, value);
  }

  #move(state: State, from: string, to: string, told: (value: Result) => boolean): State | null {
    const value = state.values.get(from);
    if (value === undefined) return told(false) ? state : null;
    if (!told(true)) return null;
    return from === to ? state : this.#with(this.#without(state, (key) => key === from), to, value);
  }
}

function same(one: Result, other: Result): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
