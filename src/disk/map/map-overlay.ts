import type { MapArea, SetOutcome } from './map-area.ts';
import { ACCEPTED, MapState } from './map-state.ts';
import { CLEAR_STEP, performSteps } from './map-steps.ts';
import type { MapStep } from './map-steps.ts';

/** What was found in a map by whoever is about to change it, as the map had it. */
export class MapReads {
  /** Of keys that were looked for; null: there was none. */
  readonly values = new Map<string, string | null>();
  /** All keys in their order, once anybody asked for more than single ones. */
  keys: readonly string[] | null = null;
}

interface Savepoint {
  readonly steps: readonly MapStep[];
  readonly changed: ReadonlyMap<string, string | null>;
  readonly sets: ReadonlyMap<string, number>;
  readonly isCleared: boolean;
  readonly growth: number;
}

/**
 * A map with steps on top of it that are not stored yet. It keeps these invariants:
 *
 * - performing `steps` on the map below gives what shows here;
 * - no key has two steps in a row: a value that is set again takes the place of the one before;
 * - no step is there that would change nothing: what made it needless is among the reads.
 */
export class MapOverlay implements MapArea {
  readonly #below: MapState;
  readonly #reads: MapReads | null;
  #steps: MapStep[] = [];
  /** What the steps make of keys; null: gone. Undefined, as all that follows, where there are none: most overlays wait. */
  #changed: Map<string, string | null> | undefined;
  /** Where the step is that sets a key, while no later one removes it. */
  #sets: Map<string, number> | undefined;
  #isCleared = false;
  /** Bytes beside those of the map below or, once it is cleared, in its place. */
  #growth = 0;
  /** All of what shows, once somebody asked for more than single keys. */
  #whole: MapState | null = null;

  /** `reads`: takes what is found in the map below; null where nobody else can change it. */
  constructor(below: MapState, reads: MapReads | null) {
    this.#below = below;
    this.#reads = reads;
  }

  get steps(): readonly MapStep[] {
    return this.#steps;
  }

  get bytes(): number {
    return (this.#isCleared ? 0 : this.#below.bytes) + this.#growth;
  }

  /** Forgets all steps: they are stored, or never will be. */
  reset(): void {
    this.#steps = [];
    this.#changed = this.#sets = undefined;
    this.#isCleared = false;
    this.#growth = 0;
    this.#whole = null;
  }

  mark(): Savepoint {
    return { steps: [...this.#steps], changed: new Map(this.#changed), sets: new Map(this.#sets), isCleared: this.#isCleared, growth: this.#growth };
  }

  /** Undoes the steps since then. */
  rollBack({ steps, changed, sets, isCleared, growth }: Savepoint): void {
    this.#steps = [...steps];
    this.#changed = new Map(changed);
    this.#sets = new Map(sets);
    this.#isCleared = isCleared;
    this.#growth = growth;
    this.#whole = null;
  }

  get(key: string): string | null {
    const changed = this.#changed?.get(key);
    if (changed !== undefined) return changed;
    if (this.#isCleared) return null;
    const value = this.#below.get(key) ?? null;
    const reads = this.#reads;
    if (reads !== null && !reads.values.has(key)) reads.values.set(key, value);
    return value;
  }

  set(key: string, value: string): SetOutcome {
    const old = this.#peek(key);
    if (old === value) return this.#needless(key);
    const growth = 2 * (old === null ? key.length + value.length : value.length - old.length);
    const requested = this.bytes + growth;
    const { quota } = this.#below;
    if (growth > 0 && requested > quota) return { accepted: false, quota, requested };
    this.#growth += growth;
    this.#setStep(key, value);
    return ACCEPTED;
  }

  /** What shows, without taking note that somebody relies on it. */
  #peek(key: string): string | null {
    const changed = this.#changed?.get(key);
    if (changed !== undefined) return changed;
    return this.#isCleared ? null : (this.#below.get(key) ?? null);
  }

  #needless(key: string): SetOutcome {
    this.get(key);
    return ACCEPTED;
  }

  #setStep(key: string, value: string): void {
    const step = { key, value };
    const sets = (this.#sets ??= new Map());
    const at = sets.get(key);
    if (at === undefined) sets.set(key, this.#steps.push(step) - 1);
    else this.#steps[at] = step;
    this.#change(key, value);
    this.#whole?.put(key, value);
  }

  #change(key: string, value: string | null): void {
    (this.#changed ??= new Map()).set(key, value);
  }

  remove(key: string): SetOutcome {
    const old = this.#peek(key);
    if (old === null) return this.#needless(key);
    this.#growth -= 2 * (key.length + old.length);
    this.#steps.push({ key, value: null });
    this.#sets?.delete(key);
    this.#change(key, null);
    this.#whole?.remove(key);
    return ACCEPTED;
  }

  clear(): SetOutcome {
    if (this.length === 0) return ACCEPTED;
    this.reset();
    this.#isCleared = true;
    this.#steps.push(CLEAR_STEP);
    return ACCEPTED;
  }

  get length(): number {
    return this.#all().size;
  }

  key(index: number): string | null {
    return this.#all().key(index) ?? null;
  }

  keys(): readonly string[] {
    return this.#all().keys();
  }

  /** A walk over all keys, once for each time that somebody begins to ask for them. */
  #all(): MapState {
    if (!this.#isCleared && this.#reads !== null) this.#reads.keys ??= this.#below.keys();
    return (this.#whole ??= this.#copy());
  }

  #copy(): MapState {
    const whole = new MapState();
    for (const [key, value] of this.#below.entries()) whole.put(key, value);
    performSteps(whole, this.#steps);
    return whole;
  }
}
