import type { CallId, Fate } from '../disk/coordinator/owned-records.ts';
import { HoldfastError } from '../runtime/holdfast-error.ts';
import type { Activity } from './activity.ts';
import type { Call } from './call.ts';
import { MovedError } from './errors.ts';
import type { Waiter } from './event.ts';
import { Instance, whenClosingTakesTooLong } from './instance.ts';
import type { ServedClass } from './served.ts';
import { callBy, Line } from './line.ts';
import type { Route, Routes } from './line.ts';
import { encodeThrown } from './messages.ts';
import type { Reply } from './messages.ts';
import type { CoordinatorKey, Store, Surroundings } from './store.ts';

/** How this realm reaches others that run coordinators of the same root. */
export interface Transport {
  /** Where others reach this one. */
  readonly address: string;
  /** Resolves when others can reach this one; before anything is owned. @throws HoldfastError disk-failed */
  ready(): Promise<void>;
  /**
   * Whoever is at an address; null where nobody is, or does not answer any more. `isDoubted`: somebody else found that it
   * does not, so it is asked first.
   */
  reach(address: string, isDoubted: boolean): Promise<Route | null>;
  /** Somebody else who serves a class; null: nobody. */
  find(key: CoordinatorKey): Promise<Route | null>;
  close(): Promise<void>;
}

/** What a transport gives to others of this realm. */
export interface Serving extends Route {
  /** What runs here. */
  activities(): Iterable<Activity>;
}

/** Milliseconds without an event after which an instance is given up, and how often that is looked at. */
const IDLE_MS = 10_000;
const LOOK_MS = 1000;

/** Instances beyond which those that have rested longest are given up. */
const MOST = 10_000;

/** What the ledger has of a call that its caller has given up. */
const GIVEN_UP: Fate = { kind: 'error', bytes: encodeThrown(new Error('Its caller has given this call up.')) };

function closed(): HoldfastError {
  return new HoldfastError('closed', 'These coordinators were closed.');
}

export function idOf({ origin, className, name }: CoordinatorKey): string {
  return JSON.stringify([origin, className, name]);
}

/**
 * This realm's part in the coordinators of a root: those that it runs, and its calls of all. It keeps these invariants:
 *
 * - there is at most one instance of a coordinator here, and it owned its journal when it was made;
 * - an instance that has ended, by itself too, is not given to anybody.
 */
export class Coordination<Client extends object> {
  readonly #classes: ReadonlyMap<string, ServedClass<Client>>;
  readonly #surroundings: Surroundings<Client>;
  readonly #transport: Transport;
  /** How long calls look for somebody who runs a coordinator, in milliseconds; by default ten seconds. */
  readonly #patience: number | undefined;
  readonly #instances = new Map<string, Instance<Client>>();
  /** The one that was asked for last: mostly it is asked for again, and a name for the map is not made for nothing. */
  #last: Instance<Client> | null = null;
  readonly #starting = new Map<string, Promise<Route | null>>();
  readonly #lines = new Map<string, Line>();
  readonly #routes: Routes = { find: (key) => this.#route(key), giveUp: (key, call) => this.#giveUp(key, call) };
  #stopLooking: (() => void) | null = null;
  /** Nothing begins here any more. */
  #isClosed = false;
  /** What ran here has ended, and nobody is called any more. */
  #isGone = false;

  constructor(classes: ReadonlyMap<string, ServedClass<Client>>, surroundings: Surroundings<Client>, connect: (serve: Serving) => Transport, patience?: number) {
    this.#patience = patience;
    this.#classes = classes;
    this.#surroundings = surroundings;
    this.#transport = connect({ call: (key, call, waiter) => this.serve(key, call, waiter), activities: () => this.activities() });
  }

  /** Others can have this realm run what it serves. @throws HoldfastError disk-failed */
  listen(): Promise<void> {
    return this.#transport.ready();
  }

  /** The calls that this realm makes of a coordinator. @throws HoldfastError closed */
  line(key: CoordinatorKey): Line {
    this.requireThere();
    const id = idOf(key);
    let line = this.#lines.get(id);
    if (line === undefined) {
      line = new Line(key, this.#routes, this.#patience);
      this.#lines.set(id, line);
      this.#look();
    }
    return line;
  }

  #requireOpen(): void {
    if (this.#isClosed) throw closed();
  }

  /** While it is closed what runs here calls others, to come to its end. @throws HoldfastError closed */
  requireThere(): void {
    if (this.#isGone) throw closed();
  }

  /** A call of another realm; a MovedError where it has to ask somebody else. */
  serve(key: CoordinatorKey, call: Call, waiter: Waiter): void {
    const live = this.#isClosed ? null : this.#live(key);
    if (live !== null) return live.call(key, call, waiter);
    this.#own(key).then(
      (instance) => (instance === null ? waiter.reject(new MovedError()) : instance.call(key, call, waiter)),
      (error: unknown) => waiter.reject(error),
    );
  }

  /**
   * A call from another region, for whoever of this region runs the coordinator, or may run it. Rejects with a MovedError
   * where that is in another region.
   */
  async pass(key: CoordinatorKey, call: Call): Promise<Reply> {
    const route = this.#isClosed ? null : await this.#route(key, true);
    if (route === null || route.isFar === true) throw new MovedError();
    return callBy(route, key, call);
  }

  /** The instance of this realm, made where nobody else has it; null: it is elsewhere. */
  async #own(key: CoordinatorKey): Promise<Instance<Client> | null> {
    if (this.#isClosed) return null;
    const live = this.#live(key);
    if (live !== null) return live;
    if (!this.#classes.has(key.className)) return null;
    const route = await this.#route(key, true);
    return route instanceof Instance ? (route as Instance<Client>) : null;
  }

  #live(key: CoordinatorKey): Instance<Client> | null {
    if (this.#last?.isLive === true && this.#last.isOf(key)) return this.#last;
    const instance = this.#instances.get(idOf(key));
    if (instance?.isLive !== true) return null;
    this.#last = instance;
    return instance;
  }

  /** The instance that lives here, for tests and inspection. */
  live(key: CoordinatorKey): Instance<Client> | null {
    return this.#live(key);
  }

  instances(): Iterable<Instance<Client>> {
    return this.#instances.values();
  }

  activities(): Activity[] {
    return Array.from(this.#instances.values(), ({ activity }) => activity);
  }

  /** `isDoubted`: another process, which has looked, did not find its owner. */
  async #route(key: CoordinatorKey, isDoubted = false): Promise<Route | null> {
    this.requireThere();
    const live = this.#live(key);
    if (live !== null) return live;
    const id = idOf(key);
    const starting = this.#starting.get(id) ?? this.#findOrStart(key, isDoubted).finally(() => this.#starting.delete(id));
    this.#starting.set(id, starting);
    return starting;
  }

  async #findOrStart(key: CoordinatorKey, isDoubted: boolean): Promise<Route | null> {
    const Class = this.#classes.get(key.className);
    if (Class !== undefined) await this.#transport.ready();
    const store = this.#surroundings.openStore(key);
    let isOurs = false;
    try {
      for (;;) {
        const owner = await store.look();
        const peer = owner === null || owner.address === this.#transport.address ? null : await this.#transport.reach(owner.address, isDoubted);
        if (peer !== null) return peer;
        if (Class === undefined) return await this.#transport.find(key);
        this.#requireOpen();
        if (!(await store.claim(this.#transport.address))) continue;
        this.#requireOpen();
        isOurs = true;
        return this.#start(key, Class, store);
      }
    } finally {
      if (!isOurs) store.close();
    }
  }

  /**
   * What became of a call that is not sent again. Whoever has the coordinator may be hung and may have the call still: so
   * it is deposed, and the journal says of the call that it has ended.
   */
  async #giveUp(key: CoordinatorKey, call: CallId): Promise<Fate | 'got' | null> {
    this.requireThere();
    const store = this.#surroundings.openStore(key);
    try {
      for (;;) {
        await store.look();
        if (!(await store.claim(this.#transport.address))) continue;
        const fate = store.ledger.fate(call);
        if (fate !== null) return fate;
        const ended = [{ caller: call.caller, number: call.number, fate: GIVEN_UP }];
        if ((await store.settle({ steps: [], alarm: undefined, got: [], begun: [], ended })) === 'settled') return null;
      }
    } finally {
      store.leave();
      store.close();
    }
  }

  #start(key: CoordinatorKey, Class: ServedClass<Client>, store: Store): Instance<Client> {
    const id = idOf(key);
    const instance = new Instance(key, id, Class, store, this.#surroundings);
    instance.onEnd = () => {
      if (this.#instances.get(id) === instance) this.#instances.delete(id);
      if (this.#last === instance) this.#last = null;
    };
    this.#instances.set(id, instance);
    instance.start();
    this.#look();
    return instance;
  }

  /** The alarm of a coordinator may be due: it is run here, unless somebody else runs the coordinator. */
  async wake(key: CoordinatorKey): Promise<void> {
    const instance = await this.#own(key);
    await instance?.alarmDue();
  }

  serves(className: string): boolean {
    return this.#classes.has(className);
  }

  #look(): void {
    this.#stopLooking ??= this.#surroundings.clock.after(LOOK_MS, () => {
      this.#stopLooking = null;
      for (const instance of [...this.#instances.values()]) instance.endLate();
      this.#rest();
      if (this.#instances.size > 0 || this.#lines.size > 0) this.#look();
    });
  }

  /** Gives up what has nothing to do. */
  #rest(): void {
    const until = this.#surroundings.clock.now() - IDLE_MS;
    for (const instance of [...this.#instances.values()]) if (instance.usedAt <= until && instance.isIdle) instance.evict();
    const excess = this.#instances.size - MOST;
    if (excess > 0) for (const instance of [...this.#instances.values()].sort((a, b) => a.usedAt - b.usedAt).slice(0, excess)) if (instance.isIdle) instance.evict();
    // A line that made calls lately has its number to go on with.
    if (this.#lines.size > MOST) for (const [id, line] of this.#lines) if (line.isIdle) this.#lines.delete(id);
  }

  /** No new event begins here; resolves when those that run have ended, and the calls that this realm has made. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopLooking?.();
    await Promise.allSettled(this.#starting.values());
    const calls = Promise.all(Array.from(this.#lines.values(), (line) => line.ended()));
    const instances = Array.from(this.#instances.values(), (instance) => instance.close());
    await Promise.all([Promise.race([whenClosingTakesTooLong(), calls]), ...instances]);
    this.#isGone = true;
    await this.#transport.close();
  }
}
