import { bucketsOf, keysOf, originsOf, type OriginPlace } from '../disk/root/origins.ts';
import type { Root } from '../disk/root/root.ts';
import { traceBucket } from '../disk/survey/trace.ts';
import { summaryOfOrigin } from '../host/operations/origins.ts';
import type { OriginSummary } from '../host/operations/types.ts';
import { errorMessage } from '../runtime/errors.ts';
import { clearTimeout, setTimeout, type Timer, uptime } from '../runtime/timers.ts';
import { Slices } from './slices.ts';

/** What is known of an origin. */
export interface Known {
  readonly origin: string;
  summary: OriginSummary | null;
  problem: string;
  /** Of what it was summed up from. */
  trace: string;
  /** The round in which it was there last. */
  round: number;
}

/** Of the time that passes, the part that looking may take; and the shortest pause between two rounds. */
const PART = 0.1;
const PAUSE_MS = 1000;

/** How long it goes on after somebody has asked last. */
const IDLE_MS = 30_000;

/** How long the first to ask waits for numbers. */
const PATIENCE_MS = 300;

/**
 * The origins of a root, and what they take. It keeps these invariants:
 * - nothing is looked at before somebody asks, and no longer than a while after;
 * - a round looks at every origin's names, sizes and times, and sums up only what has changed since;
 * - names are there before numbers: with ten thousand origins these take seconds.
 */
export class Census {
  readonly #root: Root;
  readonly #onChange: (known: Known) => void;
  readonly #known = new Map<string, Known>();
  #round = 0;
  #listed: Promise<void> | null = null;
  #running: Promise<void> | null = null;
  #timer: Timer | null = null;
  #asked = 0;
  #version = 0;
  #surveyed = 0;
  #closed = false;

  /** `onChange` hears of each origin that was summed up. */
  constructor(root: Root, onChange: (known: Known) => void) {
    this.#root = root;
    this.#onChange = onChange;
  }

  /** Another number whenever what is known has changed. */
  get version(): number {
    return this.#version;
  }

  get surveyed(): number {
    return this.#surveyed;
  }

  /** Somebody wants it to go on. */
  wake(): void {
    this.#asked = uptime();
    if (this.#running === null && this.#timer === null && !this.#closed) this.#begin();
  }

  /** All that is known, once the names are; with their numbers where those are soon there. */
  async all(): Promise<readonly Known[]> {
    const isFirst = this.#round === 0;
    this.wake();
    await this.#listed;
    if (isFirst && this.#running !== null) await Promise.race([this.#running, patience(PATIENCE_MS)]);
    return [...this.#known.values()];
  }

  /** One origin as it is now. */
  look(place: OriginPlace): Known | null {
    const known = this.#note(place.origin);
    this.#survey(known, place);
    return known.summary === null && known.problem === '' ? null : known;
  }

  /** It was deleted. */
  forget(origin: string): void {
    this.#remove(origin);
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #begin(): void {
    const begun = uptime();
    let listed = (): void => {};
    this.#listed = new Promise((resolve) => (listed = resolve));
    this.#running = this.#look(listed)
      // What keeps the root from being read is said where somebody asks for it; here the next round tries again.
      .catch(() => undefined)
      .finally(() => {
        listed();
        this.#running = null;
        this.#pause(uptime() - begun);
      });
  }

  #pause(took: number): void {
    if (this.#closed || uptime() - this.#asked > IDLE_MS) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#begin();
    }, Math.max(PAUSE_MS, took / PART));
    this.#timer.unref();
  }

  async #look(listed: () => void): Promise<void> {
    this.#round += 1;
    const slices = new Slices();
    const places: OriginPlace[] = [];
    for (const place of this.#root.open() === null ? [] : originsOf(this.#root)) {
      places.push(place);
      this.#note(place.origin).round = this.#round;
      await slices.rest();
    }
    for (const { origin, round } of this.#known.values()) if (round !== this.#round) this.#remove(origin);
    listed();
    for (const place of places) {
      if (this.#closed) return;
      const known = this.#known.get(place.origin);
      if (known !== undefined) this.#survey(known, place);
      await slices.rest();
    }
  }

  #note(origin: string): Known {
    const known = this.#known.get(origin) ?? { origin, summary: null, problem: '', trace: '', round: this.#round };
    if (!this.#known.has(origin)) {
      this.#known.set(origin, known);
      this.#version += 1;
    }
    return known;
  }

  #remove(origin: string): void {
    const known = this.#known.get(origin);
    if (known === undefined) return;
    if (known.trace !== '') this.#surveyed -= 1;
    this.#known.delete(origin);
    this.#version += 1;
  }

  #survey(known: Known, place: OriginPlace): void {
    try {
      const trace = JSON.stringify(bucketsOf(place.path, keysOf(this.#root, place.origin)).map((bucket) => [bucket.name, traceBucket(bucket.path)]));
      if (trace === known.trace) return;
      if (known.trace === '') this.#surveyed += 1;
      known.trace = trace;
      known.summary = summaryOfOrigin(place, this.#root.vaults);
      known.problem = '';
    } catch (error) {
      // One that cannot be read keeps nobody from the others.
      if (known.trace === '') this.#surveyed += 1;
      known.trace = 'unreadable';
      known.summary = null;
      known.problem = errorMessage(error);
    }
    this.#version += 1;
    if (known.summary !== null) this.#onChange(known);
  }
}

function patience(milliseconds: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, milliseconds).unref());
}
