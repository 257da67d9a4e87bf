import { outsideContexts } from '../runtime/callback-context.ts';
import type { Clock, CoordinatorKey } from './store.ts';

/** The index of alarms, of a root or a hub, as its keeper reads it. */
export interface AlarmList {
  onNote: (() => void) | null;
  readonly earliest: number | undefined;
  look(): void | Promise<void>;
  due(now: number): readonly CoordinatorKey[];
}

/** What runs an alarm here, unless the coordinator runs elsewhere. */
export interface Waker {
  serves(className: string): boolean;
  wake(key: CoordinatorKey): Promise<void>;
}

/** How often the index is looked at, in milliseconds: how late an alarm may be whose process has ended. */
const LOOK_MS = 1000;

/** Alarms that are run at once. */
const AT_ONCE = 64;

/**
 * Runs the alarms that are due, in every process that serves their classes: of several that try, the one that runs the
 * coordinator does it. It keeps no process alive.
 */
export class AlarmKeeper {
  readonly #list: AlarmList;
  readonly #waker: Waker;
  readonly #clock: Clock;
  /** Ends what it waits for; null: it waits for nothing. */
  #stop: (() => void) | null = null;
  /** Until when, by the clock. */
  #until = 0;
  #round: Promise<void> | null = null;
  #isClosed = false;

  constructor(list: AlarmList, waker: Waker, clock: Clock) {
    this.#list = list;
    this.#waker = waker;
    this.#clock = clock;
    list.onNote = () => this.#arm();
  }

  start(): void {
    this.#arm();
  }

  #arm(): void {
    if (this.#isClosed) return;
    const left = (this.#list.earliest ?? Infinity) - this.#clock.now();
    const wait = left > 0 ? Math.min(left, LOOK_MS) : this.#round === null ? 0 : LOOK_MS;
    // Where very many are noted, one that looks in time will do for all.
    if (this.#stop === null || this.#clock.now() + wait < this.#until) this.#wait(wait);
  }

  #wait(milliseconds: number): void {
    this.#stop?.();
    this.#until = this.#clock.now() + milliseconds;
    this.#stop = outsideContexts(() =>
      this.#clock.after(milliseconds, () => {
        this.#stop = null;
        void this.run();
      }),
    );
  }

  /** Runs what is due; resolves when that has ended. */
  async run(): Promise<void> {
    if (this.#round !== null) return this.#round;
    this.#round = this.#runDue();
    await this.#round;
    this.#round = null;
    // What could not be run now is not tried again at once.
    if (!this.#isClosed) this.#wait(this.#pause());
  }

  #pause(): number {
    const left = (this.#list.earliest ?? Infinity) - this.#clock.now();
    return left > 0 ? Math.min(left, LOOK_MS) : LOOK_MS;
  }

  async #runDue(): Promise<void> {
    const keys = await this.#due();
    for (let at = 0; at < keys.length && !this.#isClosed; at += AT_ONCE) {
      // Whoever fails is due still, and tried again.
      await Promise.allSettled(keys.slice(at, at + AT_ONCE).map((key) => this.#waker.wake(key)));
    }
  }

  async #due(): Promise<CoordinatorKey[]> {
    try {
      await this.#list.look();
      return this.#list.due(this.#clock.now()).filter(({ className }) => this.#waker.serves(className));
    } catch {
      // The disk, or the hub, refuses; the next round meets it again.
      return [];
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#list.onNote = null;
    this.#stop?.();
    await this.#round;
  }
}
