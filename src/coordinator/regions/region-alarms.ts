import { FORGET, MOVE, NOTE } from '../../disk/coordinator/alarm-records.ts';
import { uptime } from '../../runtime/timers.ts';
import type { AlarmList } from '../alarm-keeper.ts';
import type { AlarmBook, CoordinatorKey } from '../store.ts';
import { IndexLog } from './index-log.ts';
import type { OrderedLog } from './region-store.ts';

/** A log that tells when there is something new in it. */
export interface WatchedLog extends OrderedLog {
  /** Whether `subscribe` hears of entries by itself. */
  notifies(): Promise<boolean>;
  subscribe(onNews: () => void): () => void;
}

/** How often the hub is asked although nothing is known to be new, in milliseconds: news may be lost. */
const LOOK_MS = 10_000;

/** The same where the hub tells no news. */
const POLL_MS = 1000;

/**
 * When coordinators that a hub keeps are to be woken, as all regions know it: the index of alarms of all of them is a log
 * of the hub. Its stamps are positions in the log of the coordinator: what is said is what that log comes to up to there,
 * as whoever owned there has read it. It keeps these invariants:
 *
 * - (rule 19) an alarm is noted before its turn is sent, and with a stamp above all that its writer had read: so nothing
 *   that was said of the coordinator before, however late it comes, can undo it;
 * - what anybody says that it is to be looked at later, or not at all, was in the log of the coordinator when they said so.
 */
export class RegionAlarms implements AlarmBook, AlarmList {
  onNote: (() => void) | null = null;
  readonly #log: WatchedLog;
  readonly #index: IndexLog;
  readonly #origin: string | undefined;
  /** The first alarm of those that were noted here and not read back yet. */
  #soonest = Infinity;
  #hasNews = true;
  #lookedAt = -Infinity;
  #pause = LOOK_MS;
  #unsubscribe: (() => void) | null = null;
  #endLook: (() => void) | null = null;
  #isClosed = false;

  /**
   * Does no I/O.
   *
   * @param origin - whose coordinators only are woken, whatever else somebody with a token has said; undefined: all
   */
  constructor(log: WatchedLog, origin?: string) {
    this.#log = log;
    this.#origin = origin;
    this.#index = new IndexLog(log);
  }

  get earliest(): number | undefined {
    const earliest = Math.min(this.#soonest, this.#index.machine.earliest()?.time ?? Infinity);
    return earliest === Infinity ? undefined : earliest;
  }

  due(now: number): CoordinatorKey[] {
    const keys = Array.from(this.#index.machine.due(now), ({ key }) => key);
    return this.#origin === undefined ? keys : keys.filter(({ origin }) => origin === this.#origin);
  }

  /** Reads what is new. @throws (rejects) HoldfastError as a hub's `read` */
  async look(): Promise<void> {
    const now = uptime();
    if (this.#isClosed || (!this.#hasNews && now - this.#lookedAt < this.#pause)) return;
    this.#hasNews = false;
    this.#soonest = Infinity;
    try {
      await this.#unlessClosed(this.#catchUp());
      this.#lookedAt = now;
    } catch (error) {
      this.#hasNews = true;
      throw error;
    }
  }

  async #catchUp(): Promise<void> {
    if (this.#unsubscribe === null) await this.#subscribe();
    await this.#index.catchUp();
    await this.#index.keepShort();
  }

  async #subscribe(): Promise<void> {
    this.#pause = (await this.#log.notifies()) ? LOOK_MS : POLL_MS;
    if (!this.#isClosed) this.#unsubscribe ??= this.#log.subscribe(() => (this.#hasNews = true));
  }

  /** Nobody who closes waits for a hub that does not answer. */
  async #unlessClosed(work: Promise<void>): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#endLook = resolve;
    });
    await Promise.race([work, closed]);
  }

  /** (rule 19) Before its turn is sent. @throws (rejects) HoldfastError as a hub's `append` */
  async announce(key: CoordinatorKey, time: number, stamp: number): Promise<void> {
    await this.#index.append(NOTE, { key, time, epoch: stamp });
    this.#hasNews = true;
    if (time >= (this.earliest ?? Infinity)) return;
    this.#soonest = time;
    this.onNote?.();
  }

  expect(): void {
    // As below.
  }

  note(): void {
    // The store of the coordinator has announced it, or does so before the turn is sent.
  }

  move(key: CoordinatorKey, time: number, stamp: number): void {
    this.#say(MOVE, key, time, stamp);
  }

  forget(key: CoordinatorKey, stamp: number): void {
    this.#say(FORGET, key, 0, stamp);
  }

  /** Best effort: where it fails somebody looks for nothing, and says it again. */
  #say(kind: number, key: CoordinatorKey, time: number, stamp: number): void {
    const said = this.#index.append(kind, { key, time, epoch: stamp });
    said.then(() => (this.#hasNews = true)).catch(() => undefined);
  }

  close(): void {
    this.#isClosed = true;
    this.#unsubscribe?.();
    this.#endLook?.();
  }
}
