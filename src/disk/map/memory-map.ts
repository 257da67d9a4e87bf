import type { MapArea, SetOutcome } from './map-area.ts';
import { ACCEPTED, DEFAULT_QUOTA, MapState } from './map-state.ts';

/** A map that lives as long as its owner, for `sessionStorage`. Its quota is in bytes of UTF-16, as on disk. */
export class MemoryMap implements MapArea {
  readonly #state = new MapState();

  constructor(quota: number = DEFAULT_QUOTA) {
    this.#state.quota = quota;
  }

  get length(): number {
    return this.#state.size;
  }

  get(key: string): string | null {
    return this.#state.get(key) ?? null;
  }

  set(key: string, value: string): SetOutcome {
    return this.#state.set(key, value);
  }

  remove(key: string): SetOutcome {
    this.#state.remove(key);
    return ACCEPTED;
  }

  clear(): SetOutcome {
    this.#state.clear();
    return ACCEPTED;
  }

  key(index: number): string | null {
    return this.#state.key(index) ?? null;
  }

  keys(): readonly string[] {
    return this.#state.keys();
  }
}
