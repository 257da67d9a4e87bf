/** A process of a simulated world, and what it is told by others. */
import { AlarmKeeper } from '../../../src/coordinator/alarm-keeper.ts';
import type { Call } from '../../../src/coordinator/call.ts';
import { Coordination } from '../../../src/coordinator/coordination.ts';
import type { Serving, Transport } from '../../../src/coordinator/coordination.ts';
import { CoordinatorError, MovedError } from '../../../src/coordinator/errors.ts';
import type { Route } from '../../../src/coordinator/line.ts';
import type { Reply } from '../../../src/coordinator/messages.ts';
import type { ServedClass } from '../../../src/coordinator/served.ts';
import { Rounds } from '../../../src/coordinator/rounds.ts';
import type { Clock, CoordinatorKey, Hold, Surroundings, TurnMap } from '../../../src/coordinator/store.ts';
import { schedule } from './schedule.ts';
import type { Owner } from './schedule.ts';
import { SimAlarms, SimStore } from './store.ts';
import type { Disk, Mishap } from './store.ts';
import { delay } from './timers.ts';

/** What a coordinator of this world has for its storage. */
export interface SimClient {
  readonly map: TurnMap;
  /** An operation of the storage that takes a while. */
  operate(): Promise<void>;
}

const clock: Clock = {
  now: () => schedule.now,
  after(milliseconds, callback) {
    const task = schedule.add(milliseconds, callback);
    return () => (task.isDone = true);
  },
};

/** Milliseconds after which somebody who is silent counts as hung. */
const SUSPECT_MS = 400;

const someTime = (most: number): number => schedule.random() * most;

export class Realm implements Owner {
  readonly address: string;
  readonly coordination: Coordination<SimClient>;
  readonly keeper: AlarmKeeper;
  isDead = false;
  isPaused = false;
  isClosed = false;
  readonly #all: Map<string, Realm>;
  /** Calls of others that are under way, each with what ends it where this one is lost. */
  readonly #callers = new Set<() => void>();
  /** Those who count as hung here, and until when. */
  readonly #suspects = new Map<string, number>();
  readonly #arrivals = new Map<string, number>();
  serving: Serving | null = null;

  constructor(address: string, all: Map<string, Realm>, disk: Disk, classes: ReadonlyMap<string, ServedClass<SimClient>>, mishap: () => Mishap) {
    this.address = address;
    this.#all = all;
    const alarms = new SimAlarms(disk, () => this.isDead);
    const surroundings: Surroundings<SimClient> = {
      clock,
      rounds: new Rounds(),
      alarms,
      openStore: (key) => {
        const store = new SimStore(disk.linesOf(key), mishap, () => this.kill());
        if (schedule.random() < 0.3) store.restart();
        return store;
      },
      openStorage: (_key, map: TurnMap, hold: Hold) => ({
        client: { map, operate: () => hold(() => delay(1 + someTime(5))) },
        end: () => undefined,
      }),
    };
    this.coordination = new Coordination(classes, surroundings, (serving) => this.#transport(serving, classes.size > 0));
    this.keeper = new AlarmKeeper(alarms, this.coordination, clock);
    if (classes.size > 0) all.set(address, this);
  }

  /** Runs as this process. */
  as<Result>(body: () => Result): Result {
    const before = schedule.owner;
    schedule.owner = this;
    try {
      return body();
    } finally {
      schedule.owner = before;
    }
  }

  kill(): void {
    this.isDead = true;
    this.#all.delete(this.address);
    this.#lose();
  }

  pause(milliseconds: number): void {
    this.isPaused = true;
    schedule.add(milliseconds, () => this.#resume(), null);
  }

  #resume(): void {
    this.isPaused = false;
    schedule.resume();
  }

  /** Whoever waits for something of it waits no more. */
  #lose(): void {
    for (const lose of this.#callers) lose();
    this.#callers.clear();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.keeper.close();
    await this.coordination.close();
    this.#all.delete(this.address);
    this.#lose();
  }

  #transport(serving: Serving, isReachable: boolean): Transport {
    this.serving = serving;
    const { address } = this;
    return {
      address,
      ready: () => (isReachable ? delay(1) : Promise.resolve()),
      reach: async (other, isDoubted) => {
        await delay(1 + someTime(2));
        const realm = this.#all.get(other);
        if (realm === undefined || (this.#suspects.get(other) ?? 0) > schedule.now) return null;
        if (!isDoubted || !realm.isPaused) return this.#routeTo(realm);
        await delay(SUSPECT_MS / 5);
        return realm.isPaused || realm.isDead ? null : this.#routeTo(realm);
      },
      find: async () => {
        await delay(1);
        const others = [...this.#all.values()].filter((realm) => realm !== this && (this.#suspects.get(realm.address) ?? 0) <= schedule.now);
        const realm = others[Math.floor(schedule.random() * others.length)];
        return realm === undefined ? null : this.#routeTo(realm);
      },
      close: () => Promise.resolve(),
    };
  }

  /** It has not answered. Others may not have noticed. */
  #suspect(realm: Realm, lose: () => void): void {
    this.#suspects.set(realm.address, schedule.now + 2000);
    lose();
  }

  #routeTo(realm: Realm): Route {
    return { call: (key, call, waiter) => void this.#send(realm, key, call).then((reply) => waiter.resolve(reply), (error: unknown) => waiter.reject(error)) };
  }

  #send(to: Realm, key: CoordinatorKey, call: Call): Promise<Reply> {
    return new Promise((resolve, reject) => {
      let isOver = false;
      // What arrives here arrives as a task of this process.
      const arrive = (what: () => void): void => {
        if (isOver) return;
        isOver = true;
        to.#callers.delete(lose);
        schedule.add(1 + someTime(2), what, this);
      };
      const lose = (): void => arrive(() => reject(new MovedError(true)));
      if (to.isDead || !this.#all.has(to.address)) return lose();
      to.#callers.add(lose);
      schedule.add(SUSPECT_MS, () => to.isPaused && this.#suspect(to, lose), this);
      // Of one connection nothing overtakes what was sent before.
      const at = Math.max(schedule.now + 1 + someTime(3), (this.#arrivals.get(to.address) ?? 0) + 0.001);
      this.#arrivals.set(to.address, at);
      const answer = (what: () => void): void => {
        if (!to.isDead) arrive(what);
      };
      const deliver = (): void => {
        (to.serving as Serving).call(key, call, {
          resolve: (reply) => answer(() => resolve(reply)),
          reject: (error) => answer(() => reject(error instanceof CoordinatorError ? error : new MovedError())),
        });
      };
      schedule.add(at - schedule.now, deliver, to);
    });
  }
}
