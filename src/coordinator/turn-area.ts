import { ACCEPTED } from '../disk/map/map-state.ts';
import type { SetOutcome } from '../disk/map/map-area.ts';
import type { MapOverlay } from '../disk/map/map-overlay.ts';
import { allOrNone } from '../disk/map/all-or-none.ts';
import type { Transacted } from '../disk/map/map-transaction.ts';
import type { TurnMap } from './store.ts';

/** Who hears of each change. */
export interface ChangeListener {
  noteChange(): void;
}

/** The map of a turn as the coordinator's code sees it. */
export class TurnArea implements TurnMap {
  readonly #map: MapOverlay;
  readonly #listener: ChangeListener;

  constructor(map: MapOverlay, listener: ChangeListener) {
    this.#map = map;
    this.#listener = listener;
  }

  get length(): number {
    return this.#map.length;
  }

  get(key: string): string | null {
    return this.#map.get(key);
  }

  key(index: number): string | null {
    return this.#map.key(index);
  }

  keys(): readonly string[] {
    return this.#map.keys();
  }

  set(key: string, value: string): SetOutcome {
    return this.#map.get(key) === value ? this.#map.set(key, value) : this.#noted(this.#map.set(key, value));
  }

  remove(key: string): SetOutcome {
    return this.#map.get(key) === null ? this.#map.remove(key) : this.#noted(this.#map.remove(key));
  }

  clear(): SetOutcome {
    return this.#noted(this.#map.clear());
  }

  #noted(outcome: SetOutcome): SetOutcome {
    if (outcome.accepted) this.#listener.noteChange();
    return outcome;
  }

  /** Nobody else can change it. */
  subscribe(): () => void {
    return () => undefined;
  }

  transact<Result>(body: (overlay: MapOverlay) => Result): Transacted<Result> {
    const result = allOrNone(this.#map, () => body(this.#map));
    this.#listener.noteChange();
    return { outcome: ACCEPTED, result, steps: [] };
  }
}
