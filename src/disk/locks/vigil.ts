import { type Timer, clearTimeout, setTimeout, uptime } from '../../runtime/timers.ts';
import type { Bell } from './bell.ts';

export interface VigilOptions {
  /** How often a waiting session looks at the journal and at who is in its way, in milliseconds. */
  readonly lookMs: number;
  /** How long a session that begins to wait for others looks more often, in milliseconds. */
  readonly keenMs: number;
  /** How often the lease is touched, in milliseconds. */
  readonly touchMs: number;
  /** Runs what it is given outside of the caller's asynchronous context. */
  readonly detach: <T>(body: () => T) => T;
}

/** What a session does while it holds or waits. */
export interface VigilDuties {
  /** `waiting`: for others; `keeping`: holds something or observes someone; `idle`: nothing. */
  state(): 'waiting' | 'keeping' | 'idle';
  /** Reads the news. */
  look(): void;
  /** Looks after those who are in the way. */
  attend(): void;
  touch(): void;
}

/**
 * Locks are mostly held for less than this: nothing is watched for them. Also how often a session looks that is keen, in
 * milliseconds.
 */
const FIRST_LOOK_MS = 50;

/** How often a session looks that cannot be woken, in milliseconds. */
const DEAF_LOOK_MS = 100;

/**
 * The one timer of a session. It runs while the session holds or waits, and one round longer, so that taking a lock
 * again and again starts no timers. It keeps the process alive only while something waits.
 */
export class Vigil {
  readonly #bell: Bell;
  readonly #duties: VigilDuties;
  readonly #options: VigilOptions;
  #timer: Timer | null = null;
  #keepsAlive = false;
  /** The first touch is due a while after the start: a short life needs no lease. */
  #touchedAt = uptime();
  #attendedAt = -Infinity;
  #keenUntil = -Infinity;
  #closed = false;

  constructor(bell: Bell, duties: VigilDuties, options: VigilOptions) {
    this.#bell = bell;
    this.#duties = duties;
    this.#options = options;
  }

  /** To be called whenever the session began or ended to hold or wait. */
  update(): void {
    const state = this.#duties.state();
    if (this.#timer === null) {
      if (state !== 'idle') this.#arm(FIRST_LOOK_MS, state === 'waiting');
    } else if (this.#keepsAlive !== (state === 'waiting')) {
      this.#turn(state === 'waiting');
    }
  }

  /** Something more waits now, and others decide when that ends: begins to watch at once. */
  expect(): void {
    const { keenMs } = this.#options;
    if (keenMs > 0) {
      const wasKeen = this.#isKeen;
      this.#keenUntil = uptime() + keenMs;
      // The round that was to come next may be far off.
      if (!wasKeen) this.#turn(true);
    }
    // What the system refused to one that waits it would refuse to the next: the rounds try again.
    this.#listen(false);
  }

  #listen(again: boolean): void {
    // What happened before the watch began has rung nothing.
    if (!this.#closed && this.#bell.watch(again)) this.#duties.look();
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#bell.close();
  }

  /** A session that begins to wait looks soon, however long it has held other things. */
  #turn(waiting: boolean): void {
    if (waiting) {
      if (this.#timer !== null) clearTimeout(this.#timer);
      this.#arm(FIRST_LOOK_MS, true);
    } else {
      this.#keepsAlive = false;
      this.#timer?.unref();
    }
  }

  #arm(delay: number, keepsAlive: boolean): void {
    if (this.#closed) return;
    this.#keepsAlive = keepsAlive;
    const timer = this.#options.detach(() => setTimeout(() => this.#round(), delay));
    if (!keepsAlive) timer.unref();
    this.#timer = timer;
  }

  #round(): void {
    this.#timer = null;
    const state = this.#duties.state();
    const now = uptime();
    if (now - this.#touchedAt >= this.#options.touchMs) {
      this.#touchedAt = now;
      this.#duties.touch();
    }
    if (state === 'idle') return this.#bell.close();
    this.#listen(true);
    this.#duties.look();
    if (this.#isKeen || now - this.#attendedAt >= this.#options.lookMs - DEAF_LOOK_MS) {
      this.#attendedAt = now;
      this.#duties.attend();
    }
    if (this.#timer === null) this.#arm(this.#delay(), this.#duties.state() === 'waiting');
  }

  get #isKeen(): boolean {
    return uptime() < this.#keenUntil;
  }

  #delay(): number {
    const { lookMs, touchMs } = this.#options;
    if (this.#duties.state() !== 'waiting') return Math.min(lookMs, touchMs);
    if (this.#isKeen) return Math.min(FIRST_LOOK_MS, lookMs);
    return this.#bell.isWatched ? lookMs : Math.min(DEAF_LOOK_MS, lookMs);
  }
}
