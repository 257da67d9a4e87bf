import { UnsettledError } from '../../disk/coordinator/owned-journal.ts';
import type { Settlement } from '../../disk/coordinator/owned-journal.ts';
import type { Ledger } from '../../disk/coordinator/ledger.ts';
import type { Alarm, Owner, Turn } from '../../disk/coordinator/owned-records.ts';
import type { MapState } from '../../disk/map/map-state.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { randomInteger } from '../../runtime/random.ts';
import { delay, uptime } from '../../runtime/timers.ts';
import { CoordinatorError } from '../errors.ts';
import type { Store } from '../store.ts';
import { within } from './pause.ts';
import { type Answer, OtherHistory, RegionCore, type Want, type Way } from './region-core.ts';

/** What it needs of a hub's log. */
export interface OrderedLog {
  head(): Promise<{ readonly epoch: string; readonly position: number }>;
  append(entries: readonly { readonly id: string; readonly bytes: Uint8Array }[]): Promise<number>;
  read(after: number, limit: number): Promise<readonly { readonly position: number; readonly bytes: Uint8Array }[]>;
  snapshot(): Promise<{ readonly position: number; readonly bytes: Uint8Array } | null>;
  putSnapshot(snapshot: { readonly position: number; readonly bytes: Uint8Array }): Promise<void>;
  trim(upTo: number): Promise<void>;
}

export interface RegionStoreOptions {
  /** Bytes of UTF-16 that its map may take. */
  readonly quota: number;
  /** For how long an owner may answer reads without asking, in milliseconds; 0: never. */
  readonly lease: number;
  /** How long the hub may be away before what waits for it is given up, in milliseconds. */
  readonly patience?: number;
  /** Has the index of alarms say that the coordinator is looked at no later than then. @throws (rejects) as `append` */
  readonly announce: (time: number, stamp: number) => Promise<void>;
  /** Has whoever lists coordinators find it. @throws (rejects) as `append` */
  readonly register: () => Promise<void>;
}

const PATIENCE_MS = 10_000;

/** Milliseconds before the hub is asked again; doubled each time. */
const FIRST_PAUSE_MS = 20;
const LAST_PAUSE_MS = 500;

const READ_AT_ONCE = 1000;

/** A snapshot is put after so many entries, or bytes of them; so many entries before it stay for those who are reading. */
const SNAPSHOT_ENTRIES = 256;
const SNAPSHOT_BYTES = 2 ** 20;
const MARGIN = 64;

/** One coordinator in the log of a hub, as one process has it: goes the ways of a {@link RegionCore}. */
export class RegionStore implements Store {
  readonly #log: OrderedLog;
  readonly #core: RegionCore;
  readonly #patience: number;
  readonly #index: Pick<RegionStoreOptions, 'announce' | 'register'>;
  #isClosed = false;
  /** Whether something of the turn that is under way may be in the log. */
  #isSent = false;
  #entries = 0;
  #bytes = 0;

  /** Does no I/O. */
  constructor(log: OrderedLog, { quota, lease, patience = PATIENCE_MS, ...index }: RegionStoreOptions) {
    this.#log = log;
    this.#core = new RegionCore(quota, lease, uptime, randomInteger);
    this.#patience = patience;
    this.#index = index;
  }

  get map(): MapState {
    return this.#core.map;
  }

  get ledger(): Ledger {
    return this.#core.ledger;
  }

  get alarm(): Alarm | null {
    return this.#core.alarm;
  }

  get epoch(): number {
    return this.#core.epoch;
  }

  /** How far its log was read. */
  get stamp(): number {
    return this.#core.position;
  }

  /** @throws CoordinatorError coordinator-unavailable while the hub is away; HoldfastError as the hub */
  async look(): Promise<Owner | null> {
    return await this.#go(this.#core.look()).catch(unavailable);
  }

  /** @throws as `look` */
  async claim(address: string): Promise<boolean> {
    return await this.#go(this.#core.claim(address)).catch(unavailable);
  }

  /** @throws (rejects) UnsettledError where nobody can say what became of it */
  async settle(turn: Turn): Promise<Settlement> {
    const way = this.#core.settle(turn);
    this.#isSent = false;
    try {
      if (!(await this.#go(way))) return 'deposed';
    } catch (error) {
      throw new UnsettledError(!this.#isSent, error);
    }
    this.#keepShort();
    return 'settled';
  }

  /** @throws (rejects) UnsettledError where the hub is away */
  async check(): Promise<boolean> {
    return await this.#go(this.#core.check()).catch((error: unknown) => {
      throw new UnsettledError(true, error);
    });
  }

  async #go<Result>(way: Way<Result>): Promise<Result> {
    let began = uptime();
    let pause = FIRST_PAUSE_MS;
    for (let step = way.next(); ; ) {
      if (step.done === true) return step.value;
      const want = step.value;
      let answer: Answer;
      try {
        answer = await this.#askInTime(want, began + this.#patience);
        began = uptime();
        pause = FIRST_PAUSE_MS;
      } catch (error) {
        answer = this.#answerFor(error, began);
        if (answer.is === 'lost') await delay(pause);
        pause = Math.min(LAST_PAUSE_MS, 2 * pause);
      }
      step = way.next(answer);
    }
  }

  /** What takes its time may: a lease ends when it does, and a snapshot may be large. */
  #askInTime(want: Want, end: number): Promise<Answer> {
    const answer = this.#ask(want);
    if (want.do === 'wait' || want.do === 'snapshot') return answer;
    return within(Math.max(1, end - uptime()), answer, silent);
  }

  async #ask(want: Want): Promise<Answer> {
    if (this.#isClosed) throw new HoldfastError('closed', 'This coordinator was closed here.');
    if (want.do === 'head') return { is: 'head', ...(await this.#log.head()) };
    if (want.do === 'head and read') return await this.#headAndRead(want.after);
    if (want.do === 'read') return { is: 'entries', entries: await this.#log.read(want.after, READ_AT_ONCE) };
    if (want.do === 'snapshot') return { is: 'snapshot', snapshot: await this.#log.snapshot() };
    await this.#do(want);
    return { is: 'done' };
  }

  async #headAndRead(after: number): Promise<Answer> {
    const [{ epoch, position }, entries] = await Promise.all([this.#log.head(), this.#log.read(after, READ_AT_ONCE)]);
    return { is: 'head and entries', epoch, position, entries };
  }

  async #do(want: Want): Promise<void> {
    if (want.do === 'wait') await delay(Math.max(0, want.until - uptime()));
    else if (want.do === 'announce') await this.#index.announce(want.time, want.stamp);
    else if (want.do === 'register') await this.#index.register();
    else if (want.do === 'append') await this.#append(want.id, want.bytes);
  }

  async #append(id: string, bytes: Uint8Array): Promise<void> {
    this.#isSent = true;
    await this.#log.append([{ id, bytes }]);
    this.#entries += 1;
    this.#bytes += bytes.length;
  }

  /** What goes on; throws what does not. */
  #answerFor(error: unknown, began: number): Answer {
    const code = error instanceof HoldfastError ? error.code : undefined;
    if (code === 'hub-trimmed') return { is: 'trimmed' };
    if (code !== 'hub-unreachable' || uptime() - began > this.#patience) throw error;
    return { is: 'lost' };
  }

  /** Best effort: what fails is done after a later turn. */
  #keepShort(): void {
    if (this.#entries < SNAPSHOT_ENTRIES && this.#bytes < SNAPSHOT_BYTES) return;
    const snapshot = this.#core.snapshot();
    if (snapshot === null) return;
    this.#entries = 0;
    this.#bytes = 0;
    const put = async (): Promise<void> => {
      await this.#log.putSnapshot(snapshot);
      await this.#log.trim(snapshot.position - MARGIN);
    };
    put().catch(() => undefined);
  }

  /** It stays this process's, and so its region's, for the next call: that is what makes its place sticky. */
  leave(): void {
    // Whoever calls it finds this process, or its region.
  }

  close(): void {
    this.#isClosed = true;
  }
}

/** A network that was cut does not tell. What was asked may still be done. */
function silent(): never {
  throw new HoldfastError('hub-unreachable', 'The hub that keeps this coordinator does not answer.');
}

function unavailable(cause: unknown): never {
  if (cause instanceof OtherHistory || (cause instanceof HoldfastError && cause.code === 'hub-unreachable')) {
    throw new CoordinatorError('coordinator-unavailable', 'The hub that keeps this coordinator cannot be reached.', { outcome: 'not-run', cause });
  }
  throw cause;
}
