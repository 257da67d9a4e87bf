import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Transport } from '../../coordinator/coordination.ts';
import type { Instance } from '../../coordinator/instance.ts';
import type { Line } from '../../coordinator/line.ts';
import type { Clock } from '../../coordinator/store.ts';
import { lineOf } from '../../coordinator/stub.ts';
import type { Stub } from '../../coordinator/stub.ts';
import { OwnedJournal } from '../../disk/coordinator/owned-journal.ts';
import { CoordinatorPlace } from '../../disk/coordinator/coordinator-place.ts';
import { wallClock } from '../../runtime/timers.ts';
import { bad, givenOptions } from '../option-checks.ts';
import type { StorageHostOptions } from '../options.ts';
import { ownerOf, StorageHost } from '../storage-host.ts';
import type { StorageClient } from '../storage-client.ts';
import type { Coordinator } from './coordinator.ts';
import { coordinationOf, Coordinators } from './coordinators.ts';
import type { CoordinatorClass } from './coordinators.ts';

/** A clock that stands still until it is told to go on. */
class TestClock implements Clock {
  #now = wallClock();
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>();

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer = { at: this.#now + milliseconds, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Calls back, in order, whoever waited for a time up to the new one. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
    this.#now = end;
  }
}

/** There is nobody else. */
const alone: Transport = {
  address: 'test',
  ready: () => Promise.resolve(),
  reach: () => Promise.resolve(null),
  find: () => Promise.resolve(null),
  close: () => Promise.resolve(),
};

/** Coordinators for tests. */
export interface TestCoordinators extends AsyncDisposable {
  readonly host: StorageHost;
  readonly coordinators: Coordinators;
  /** A stub; `https://test.example` where no origin is given. */
  get<Object extends Coordinator>(of: CoordinatorClass<Object> | string, name: string): Stub<Object>;
  /** Calls `body` with the object behind a stub, which has to live, as part of nothing: what it writes is stored soon after. */
  inside<Object extends Coordinator, Result>(stub: Stub<Object>, body: (object: Object) => Result): Result;
  /** Moves the clock of alarms and evictions on, and runs the alarms that are due then. */
  advance(milliseconds: number): Promise<void>;
  /** Moves the clock to the alarm of a coordinator and runs it; false if there is none. */
  runAlarm(stub: object): Promise<boolean>;
  /** Has it leave the memory, as when it has rested for long: its next call makes a new instance. */
  evict(stub: object): Promise<void>;
  /** Has it end as if its process had been killed. */
  crash(stub: object): void;
  /** Takes it away as another process would: the instance finds out by itself. */
  depose(stub: object): void;
  close(): Promise<void>;
}

/**
 * Coordinators on a temporary root of their own, with a clock that stands still until it is moved.
 *
 * @param root - a directory that is not there yet, instead of one where the system keeps temporary files; `close()`
 * removes it.
 * @param encryption - as of hosts
 * @throws HoldfastError bad-option
 */
export function testCoordinators(classes: Readonly<Record<string, CoordinatorClass>>, options: { readonly root?: string; readonly encryption?: StorageHostOptions['encryption'] } = {}): TestCoordinators {
  const { root = temporaryRoot(), encryption } = givenOptions(options, ['root', 'encryption'], 'testCoordinators()');
  const host = new StorageHost({ root, ...(encryption && { encryption }) });
  const clock = new TestClock();
  const coordinators = new Coordinators(host, classes, { clock, connect: () => alone });
  const { coordination, keeper } = coordinationOf.get(coordinators) ?? missing();

  const keyOf = (stub: object): Line['key'] => (lineOf(stub) ?? notAStub()).key;
  const live = (stub: object): Instance<StorageClient> => coordination.live(keyOf(stub)) ?? notAlive();
  const advance = async (milliseconds: number): Promise<void> => {
    clock.advance(milliseconds);
    // A round that began before the clock had come to its end has not seen all.
    await keeper.run();
    await keeper.run();
  };

  return {
    host,
    coordinators,
    get: (of, name) => coordinators.get('https://test.example', of, name),
    inside: <Object extends Coordinator, Result>(stub: Stub<Object>, body: (object: Object) => Result) => live(stub).inside((object) => body(object as Object)),
    advance,
    async runAlarm(stub) {
      const key = keyOf(stub);
      const alarm = coordination.live(key)?.state.getAlarm() ?? storedAlarm(host, key);
      if (alarm === null) return false;
      await advance(Math.max(0, alarm - clock.now()));
      return true;
    },
    async evict(stub) {
      await live(stub).close();
    },
    crash: (stub) => live(stub).crash(),
    depose(stub) {
      const journal = openJournal(host, keyOf(stub));
      journal.look();
      journal.claim('somebody-else');
      journal.close();
    },
    async close() {
      await coordinators.close();
      await host.close();
      fs.rmSync(root, { recursive: true, force: true });
    },
    async [Symbol.asyncDispose]() {
      await this.close();
    },
  };
}

function temporaryRoot(): string {
  return fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-coordinators-'));
}

function openJournal(host: StorageHost, key: Line['key']): OwnedJournal {
  const { root } = ownerOf(host);
  return new OwnedJournal(new CoordinatorPlace(root, key), { durability: root.durability, quota: Infinity });
}

function storedAlarm(host: StorageHost, key: Line['key']): number | null {
  const journal = openJournal(host, key);
  journal.look();
  journal.close();
  return journal.alarm?.time ?? null;
}

function missing(): never {
  throw new Error('these coordinators are not known');
}

function notAStub(): never {
  throw bad('That is no stub of these coordinators.');
}

function notAlive(): never {
  throw bad('That coordinator has no instance now: call it first.');
}
