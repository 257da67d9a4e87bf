import type { Alarm } from '../disk/coordinator/owned-records.ts';
import type { Reply } from './messages.ts';
import type { Served } from './served.ts';
import type { CoordinatorKey, Store, Surroundings } from './store.ts';
import type { PendingTurn } from './turn.ts';

const FIRST_RETRY_MS = 2000;
const HOUR_MS = 3_600_000;
/** Failures of an alarm in a row after which it is tried hourly, and told of. */
export const MANY_FAILURES = 6;

/** @throws TypeError */
export function alarmAt(given: number | Date): Alarm {
  const time = Math.ceil(Number(given));
  if (Number.isSafeInteger(time) && time >= 0) return { time, attempt: 0 };
  throw new TypeError(`An alarm is set to a time in milliseconds since 1970, or a Date, not to ${String(given)}.`);
}

/** @throws TypeError */
export function requireAlarm({ className }: CoordinatorKey, object: Served): asserts object is Served & Required<Pick<Served, 'alarm'>> {
  if (object.alarm === undefined) throw new TypeError(`${className} has no method 'alarm'.`);
}

/** The one alarm of a live instance: as its journal has it, or the turn that is not written yet. */
export class OwnAlarm {
  /** What it has failed with lately, and how often in a row. */
  problem: { readonly attempt: number; readonly error: unknown } | null = null;
  readonly #key: CoordinatorKey;
  readonly #store: Pick<Store, 'alarm' | 'stamp'>;
  readonly #turn: PendingTurn;
  readonly #surroundings: Pick<Surroundings<unknown>, 'alarms' | 'clock'>;
  #running: Alarm | null = null;

  constructor(key: CoordinatorKey, store: Pick<Store, 'alarm' | 'stamp'>, turn: PendingTurn, surroundings: Pick<Surroundings<unknown>, 'alarms' | 'clock'>) {
    this.#key = key;
    this.#store = store;
    this.#turn = turn;
    this.#surroundings = surroundings;
  }

  get current(): Alarm | null {
    const pending = this.#turn.alarm;
    return pending === undefined ? this.#store.alarm : pending;
  }

  /**
   * Where it is not due, the index of alarms is told when it will be, if ever.
   *
   * @param isInDoubt - whether a turn that the store shows may come to nothing: then nobody can tell
   */
  isDue(isInDoubt: boolean): boolean {
    const { current } = this;
    if (current !== null && current.time <= this.#surroundings.clock.now()) return true;
    if (!isInDoubt && this.#turn.alarm === undefined) this.#tell(this.#store);
    return false;
  }

  /** Best effort: where the disk refuses it somebody looks for nothing, and it is said again. */
  #tell({ alarm, stamp }: Pick<Store, 'alarm' | 'stamp'>): void {
    const { alarms } = this.#surroundings;
    try {
      if (alarm === null) alarms.forget(this.#key, stamp);
      else alarms.move(this.#key, alarm.time, stamp);
    } catch {
      // As above.
    }
  }

  run(object: Served): unknown {
    this.#running = this.current;
    const { attempt = 0 } = this.#running ?? {};
    requireAlarm(this.#key, object);
    return object.alarm({ attempt });
  }

  /** Where the handler has not set another, it is over, or tried again; whether it is over. */
  ended(kind: Reply['kind'], result: unknown): boolean {
    const ran = this.#running;
    const { current } = this;
    this.problem = kind === 'value' || ran === null ? null : { attempt: ran.attempt + 1, error: result };
    if (ran === null || current?.time !== ran.time || current.attempt !== ran.attempt) return false;
    this.#turn.alarm = kind === 'value' ? null : retryOf(ran, this.#surroundings.clock.now());
    return kind === 'value';
  }

  /** Unless another has been set, nobody need look at the coordinator any more. */
  forget(): void {
    // What is not written yet may never be.
    if (this.#store.alarm === null) this.#tell(this.#store);
  }
}

function retryOf({ attempt }: Alarm, now: number): Alarm {
  const delay = attempt + 1 >= MANY_FAILURES ? HOUR_MS : FIRST_RETRY_MS * 2 ** attempt;
  return { time: now + delay, attempt: attempt + 1 };
}
