import type { Operation } from './history.ts';
import { States, type Limit, type State } from './model.ts';

/*
 * Whether there is one order of all operations on an object that explains what each of them told, and in which none
 * comes before another that had ended when it began. Herlihy and Wing, "Linearizability: a correctness condition for
 * concurrent objects"; the search goes along time, as in Lowe, "Testing for linearizability": an operation is only put
 * in order when it ends, after any of those under way that have not been yet, and all that may have been so is kept.
 *
 * Of an operation that its process did not survive nobody knows the result. It happened at some time before the death,
 * or not at all.
 */

/** One way in which all may have happened so far. */
interface World {
  readonly state: State;
  /** Bits of those under way that have had their effect. */
  readonly done: number;
}

export interface Unexplained {
  readonly object: string;
  /** The first operation, by the time of its end, that no order explains. */
  readonly operation: Operation;
  /** What the object may have held before. */
  readonly states: readonly string[];
  /** What was under way with it. */
  readonly alongside: readonly Operation[];
}

/** More operations of one object at once than the bits of a number. */
const MOST_AT_ONCE = 30;

class Search {
  readonly #states: States;
  readonly #underWay: (Operation | undefined)[] = [];
  #worlds: Map<string, World>;

  constructor(limit: Limit | undefined) {
    this.#states = new States(limit);
    this.#worlds = collect([{ state: this.#states.empty, done: 0 }]);
  }

  get states(): string[] {
    return [...new Set([...this.#worlds.values()].map(({ state }) => state.text))];
  }

  alongside(operation: Operation): Operation[] {
    return this.#underWay.filter((other) => other !== undefined && other !== operation) as Operation[];
  }

  begin(operation: Operation): void {
    let slot = this.#underWay.indexOf(undefined);
    if (slot < 0) slot = this.#underWay.length;
    if (slot >= MOST_AT_ONCE) throw new Error(`more than ${MOST_AT_ONCE} operations of ${operation.object} at once`);
    this.#underWay[slot] = operation;
  }

  /** False if nothing explains what the operation told. */
  end(operation: Operation): boolean {
    const slot = this.#underWay.indexOf(operation);
    const bit = 1 << slot;
    const explained = new Map<string, World>();
    for (const world of this.#worlds.values()) {
      // Nobody was told: it need not have happened.
      if (operation.result === undefined) add(explained, { state: world.state, done: world.done & ~bit });
      else if ((world.done & bit) !== 0) add(explained, { state: world.state, done: world.done & ~bit });
    }
    for (const world of this.#reach(bit)) add(explained, { state: world.state, done: world.done & ~bit });
    if (explained.size === 0) return false;
    this.#underWay[slot] = undefined;
    this.#worlds = explained;
    return true;
  }

  /** The worlds in which the operation of `bit` comes now, after any of the others under way in any order. */
  *#reach(bit: number): Iterable<World> {
    const seen = new Map([...this.#worlds].filter(([, world]) => (world.done & bit) === 0));
    for (const world of seen.values()) {
      for (const [slot, operation] of this.#underWay.entries()) {
        const next = operation === undefined ? null : this.#step(world, operation, 1 << slot);
        if (next === null) continue;
        if ((next.done & bit) !== 0) yield next;
        else add(seen, next); // Map iterators visit what is added on the way.
      }
    }
  }

  #step({ state, done }: World, operation: Operation, bit: number): World | null {
    if ((done & bit) !== 0) return null;
    const next = this.#states.after(state, operation.action, operation.result);
    return next === null ? null : { state: next, done: done | bit };
  }
}

function add(worlds: Map<string, World>, world: World): void {
  worlds.set(`${world.done} ${world.state.text}`, world);
}

function collect(list: readonly World[]): Map<string, World> {
  const worlds = new Map<string, World>();
  for (const world of list) add(worlds, world);
  return worlds;
}

/** Null if there is an order that explains all operations on one object, which was empty before. */
export function explain(operations: readonly Operation[], limit?: Limit): Unexplained | null {
  const search = new Search(limit);
  for (const { operation, isCall } of inTime(operations)) {
    if (isCall) search.begin(operation);
    else if (!search.end(operation)) {
      return { object: operation.object, operation, states: search.states, alongside: search.alongside(operation) };
    }
  }
  return null;
}

interface Moment {
  readonly operation: Operation;
  readonly isCall: boolean;
}

/** Beginnings and ends in the order of time; at the same time beginnings come first, which forbids less. */
function inTime(operations: readonly Operation[]): Moment[] {
  const moments = operations.flatMap((operation): (Moment & { at: number })[] => [
    { operation, isCall: true, at: operation.called },
    { operation, isCall: false, at: operation.ended },
  ]);
  return moments.sort((a, b) => (a.at === b.at ? Number(b.isCall) - Number(a.isCall) : a.at < b.at ? -1 : 1));
}
