import { randomInteger } from '../../runtime/random.ts';
import { batching } from './batching.ts';
import type { MapArea, MapListener, SetOutcome } from './map-area.ts';
import type { MapJournal, MapWriter } from './map-journal.ts';
import type { MapOverlay } from './map-overlay.ts';
import { ACCEPTED, type MapState } from './map-state.ts';
import type { Transacted } from './map-transaction.ts';

/** A session has no more: a client that writes thousands of times a second for days goes on with another. */
const LAST_SEQUENCE = 2 ** 32 - 1;

/**
 * A map on disk as one client has it. Every read sees what any process wrote before it. A write is in the kernel when
 * it returns: no kill of any process loses it. All throw HoldfastError when the disk fails them.
 */
export class MapClient implements MapArea, MapWriter {
  readonly url: string;
  readonly #map: MapJournal;
  #session: number;
  #sequence: number;

  /** Use `MapJournal.client`. `sequence` is the last that the session has used. */
  constructor(map: MapJournal, session: number, url: string, sequence = 0) {
    this.#map = map;
    this.#session = session;
    this.url = url;
    this.#sequence = sequence;
  }

  get session(): number {
    return this.#session;
  }

  get sequence(): number {
    return this.#sequence;
  }

  nextSequence(): number {
    if (this.#sequence === LAST_SEQUENCE) this.#startSession();
    this.#sequence += 1;
    return this.#sequence;
  }

  #startSession(): void {
    this.#session = randomInteger();
    this.#sequence = 0;
  }

  get length(): number {
    return this.#map.current().size;
  }

  get(key: string): string | null {
    return this.#map.current().get(key) ?? null;
  }

  key(index: number): string | null {
    return this.#map.current().key(index) ?? null;
  }

  keys(): readonly string[] {
    return this.#map.current().keys();
  }

  /**
   * What was read last is enough to see that a write is due; the machine has the last word. Only what would not be
   * written needs another look, for others may have made it wrong.
   */
  set(key: string, value: string): SetOutcome {
    const known = this.#map.knownForSet(this);
    return isDue(known, key, value) ? this.#map.set(this, key, value) : this.#setAfterLook(key, value);
  }

  #setAfterLook(key: string, value: string): SetOutcome {
    const state = this.#map.current();
    if (state.get(key) === value) return ACCEPTED;
    const outcome = state.check(key, value);
    return outcome.accepted ? this.#map.set(this, key, value) : outcome;
  }

  remove(key: string): SetOutcome {
    return this.#map.current().get(key) === undefined ? ACCEPTED : this.#map.remove(this, key);
  }

  clear(): SetOutcome {
    return this.#map.current().size === 0 ? ACCEPTED : this.#map.clear(this);
  }

  /** Reads and writes of the map that are one; see map-transaction.ts. */
  transact<Result>(body: (overlay: MapOverlay) => Result): Transacted<Result> {
    return batching.code.transact(this.#map, this, body);
  }

  /**
   * Tells `listener` of each change by other sessions, in this realm or another, in journal order, each once: at once
   * where this realm makes or reads it, else soon after. It keeps no process alive. Returns what ends it.
   */
  subscribe(listener: MapListener): () => void {
    return this.#map.subscribe(this, listener);
  }
}

/** Whether a write would, as far as is known, change something and be accepted. */
function isDue(known: MapState, key: string, value: string): boolean {
  return known.get(key) !== value && known.check(key, value).accepted;
}
