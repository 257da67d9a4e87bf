import type { MapArea, SetOutcome } from '../disk/map/map-area.ts';
import { MemoryMap } from '../disk/map/memory-map.ts';
import { HoldfastError } from '../runtime/holdfast-error.ts';
import type { MapWrite, Meter } from './meter.ts';

function refuse(): never {
  throw new HoldfastError('closed', 'it belongs to a client that was closed.');
}

/** What is left of a client's map once the client was closed. */
const closedArea: MapArea = {
  get: refuse,
  set: refuse,
  remove: refuse,
  clear: refuse,
  key: refuse,
  keys: refuse,
  get length() {
    return refuse();
  },
};

/** A map as one client has it: it ends with the client, and keeps the client alive as long as somebody holds it. */
export class ClientArea implements MapArea {
  /** Held so that `host.origin()` gives the client of a Storage object that somebody still has. */
  readonly client: object;
  #area: MapArea;
  /** Undefined: what happens here is nobody's business. */
  #meter: Meter | undefined;

  constructor(client: object, area: MapArea, meter?: Meter) {
    this.client = client;
    this.#area = area;
    this.#meter = meter;
  }

  /** Every later use is an InvalidStateError. */
  end(): void {
    this.#area = closedArea;
  }

  get current(): MapArea {
    return this.#area;
  }

  /** Goes on with another map, counted or not; gives what was before. */
  exchange(area: MapArea, meter: Meter | undefined): [MapArea, Meter | undefined] {
    const before: [MapArea, Meter | undefined] = [this.#area, this.#meter];
    this.#area = area;
    this.#meter = meter;
    return before;
  }

  get length(): number {
    return this.#area.length;
  }

  get(key: string): string | null {
    if (this.#meter !== undefined) this.#meter.counts.localStorage.reads += 1;
    return this.#area.get(key);
  }

  set(key: string, value: string): SetOutcome {
    return this.#noted('set', key, key.length + value.length, this.#area.set(key, value));
  }

  remove(key: string): SetOutcome {
    return this.#noted('remove', key, 0, this.#area.remove(key));
  }

  clear(): SetOutcome {
    return this.#noted('clear', null, 0, this.#area.clear());
  }

  #noted(operation: MapWrite, key: string | null, length: number, outcome: SetOutcome): SetOutcome {
    if (outcome.accepted) this.#meter?.wrote(operation, key, length);
    else if (this.#meter !== undefined) this.#meter.counts.localStorage.refused += 1;
    return outcome;
  }

  key(index: number): string | null {
    return this.#area.key(index);
  }

  keys(): readonly string[] {
    return this.#area.keys();
  }
}

/** A map in memory that tells when it begins and ceases to hold something. */
export class SessionMap extends MemoryMap {
  readonly #onHolding: (holds: boolean) => void;

  constructor(quota: number | undefined, onHolding: (holds: boolean) => void) {
    super(quota);
    this.#onHolding = onHolding;
  }

  override set(key: string, value: string): SetOutcome {
    const outcome = super.set(key, value);
    this.#onHolding(this.length > 0);
    return outcome;
  }

  override remove(key: string): SetOutcome {
    const outcome = super.remove(key);
    this.#onHolding(this.length > 0);
    return outcome;
  }

  override clear(): SetOutcome {
    const outcome = super.clear();
    this.#onHolding(false);
    return outcome;
  }
}
