import type { Alarm, Fate } from '../disk/coordinator/owned-records.ts';
import { UnsettledError } from '../disk/coordinator/owned-journal.ts';
import type { SetOutcome } from '../disk/map/map-area.ts';
import { ACCEPTED } from '../disk/map/map-state.ts';
import { isThenable } from '../runtime/brands.ts';
import { afterMicrotasks } from '../runtime/microtasks.ts';
import { randomUuid } from '../runtime/random.ts';
import { setTimeout } from '../runtime/timers.ts';
import type { Call } from './call.ts';
import { currentContext, runIn } from './context.ts';
import type { Context } from './context.ts';
import { CoordinatorError, MovedError, shown } from './errors.ts';
import type { Outcome } from './errors.ts';
import { Gate } from './gate.ts';
import type { Block } from './gate.ts';
import { decode, decodeRequest, encode, encodeResponse, encodeThrown } from './messages.ts';
import type { Reply } from './messages.ts';
import { callName, coordinatorBase } from './state.ts';
import type { CoordinatorState } from './state.ts';
import type { CoordinatorKey, LiveStorage, Store, Surroundings, TurnMap } from './store.ts';
import { PendingTurn } from './turn.ts';
import type { Writer } from './turn.ts';

/** What an instance runs: an object of a user's class. */
export interface Served {
  alarm?(info: { readonly attempt: number }): unknown;
  fetch?(request: Request): unknown;
}

/** A user's class, as it was registered. */
export interface ServedClass<Client> {
  new (state: CoordinatorState<Client>): Served;
  readonly concurrency?: 'gated' | 'serial';
}

/** Results up to here are kept for callers who have to ask again. In bytes. */
const KEPT_RESULT = 1024;

/** Calls that may wait, their bytes, and for how long the first of them may. */
const QUEUE_CALLS = 1000;
const QUEUE_BYTES = 2 ** 24;
const QUEUE_MS = 10_000;

/** Bytes of a result. */
const LARGEST_RESULT = 2 ** 25;

/** Milliseconds that a section may take, and what runs may when the instance is closed. */
const BLOCK_MS = 30_000;
const CLOSE_MS = 30_000;

const FIRST_RETRY_MS = 2000;
const HOUR_MS = 3_600_000;
/** Failures of an alarm after which it is tried hourly. */
const MANY_FAILURES = 6;

/** A call, or an alarm, that waits or runs. */
class Event implements Writer {
  readonly call: Call | null;
  readonly queuedAt: number;
  readonly promise: Promise<Reply>;
  begun = false;
  /** Whether its code has begun to run. */
  isRunning = false;
  fate: Fate | null = null;
  resolve!: (reply: Reply) => void;
  reject!: (error: unknown) => void;

  #id: string | undefined;

  constructor(call: Call | null, now: number) {
    this.call = call;
    this.queuedAt = now;
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Whoever asked may be gone.
    this.promise.catch(() => undefined);
  }

  /** Unique among all processes. */
  get id(): string {
    return (this.#id ??= this.call === null ? randomUuid() : callName(this.call));
  }
}

/** Why an instance has come to its end. */
interface End {
  readonly message: string;
  /** Undefined: it was deposed, and whoever owns now is to be asked. */
  readonly turn?: 'void' | 'unknown';
  readonly cause?: unknown;
}

/**
 * One live instance of a coordinator, which owns its journal. It keeps these invariants:
 *
 * - (rule 4) nothing leaves before the changes that were made before it are in the journal and, where there were none,
 *   before the journal has said that nobody else owns;
 * - (rule 7) a call runs at most once here, and not at all where the ledger knows it;
 * - (rule 16) once something of it could not be written, or somebody else owns, nothing leaves and nothing is written any
 *   more, whatever its code goes on to do.
 */
export class Instance<Client> {
  readonly key: CoordinatorKey;
  /** Called once, when it has come to its end by itself. */
  onEnd: (() => void) | null = null;
  /** The time of its last event, by the clock. */
  usedAt: number;
  /** What its alarms have failed with lately, and how often in a row. */
  problem: { readonly attempt: number; readonly error: unknown } | null = null;
  readonly id: string;
  readonly #store: Store;
  readonly #surroundings: Surroundings<Client>;
  readonly #gate: Gate;
  readonly #turn: PendingTurn;
  readonly #storage: LiveStorage<Client>;
  readonly #Class: ServedClass<Client>;
  #object: Served | null = null;
  /** Calls that wait or run, until their results have left. */
  readonly #events = new Map<string, Event>();
  #alarmEvent: Event | null = null;
  #queued = 0;
  #queuedBytes = 0;
  #kept = 0;
  #isFlushDue = false;
  #end: End | null = null;
  /** Whether nothing new begins. */
  #isClosing = false;

  /** The store is owned. The object is made by `start`. */
  constructor(key: CoordinatorKey, Class: ServedClass<Client>, store: Store, surroundings: Surroundings<Client>) {
    this.key = key;
    this.id = JSON.stringify([key.origin, key.className, key.name]);
    this.#Class = Class;
    this.#store = store;
    this.#surroundings = surroundings;
    this.usedAt = surroundings.clock.now();
    this.state = this.#createState();
    this.#gate = new Gate(Class.concurrency === 'serial');
    this.#turn = new PendingTurn(store.map);
    this.#storage = surroundings.openStorage(key, this.#area(), (work) => this.#gate.hold(this.#blocks(), work));
  }

  /** Makes the object. @throws what its constructor throws, as a CoordinatorError */
  start(): void {
    const { alarm } = this.#store;
    if (alarm !== null) this.#surroundings.alarms.note(this.key, alarm.time, this.#store.epoch);
    try {
      this.#object = this.#enter({ chain: [], blocks: [], event: null }, () => new this.#Class(this.state));
    } catch (cause) {
      const error = new CoordinatorError('coordinator-reset', `The constructor of ${shown(this.key)} threw an error.`, { outcome: 'not-run', cause });
      this.#finish({ message: error.message, turn: 'void', cause });
      throw error;
    }
  }

  get object(): Served | null {
    return this.#object;
  }

  get isLive(): boolean {
    return this.#end === null;
  }

  get epoch(): number {
    return this.#store.epoch;
  }

  /** Calls that wait or run. */
  get load(): number {
    return this.#events.size;
  }

  /** Whether nothing would be lost if it were not there. */
  get isIdle(): boolean {
    return this.#gate.isIdle && this.#events.size === 0 && this.#alarmEvent === null && this.#kept === 0 && this.#turn.isEmpty;
  }

  /**
   * Runs a call, in its turn, and gives its result once that may leave.
   *
   * @throws (rejects) MovedError where it has to be sent elsewhere; CoordinatorError
   */
  async call(_key: CoordinatorKey, call: Call): Promise<Reply> {
    if (this.#end !== null || this.#isClosing) throw new MovedError();
    this.usedAt = this.#surroundings.clock.now();
    this.#turn.got(call.caller, call.got);
    const known = this.#events.get(callName(call));
    if (known !== undefined) return known.promise;
    const fate = this.#store.ledger.fate(call);
    if (fate !== null) return this.#answer(fate);
    this.#refuseCycle(call);
    this.#refuseOverload(call);
    const event = new Event(call, this.usedAt);
    this.#events.set(callName(call), event);
    this.#queued += 1;
    this.#queuedBytes += call.args.length;
    this.#gate.enqueue(() => {
      this.#queued -= 1;
      this.#queuedBytes -= call.args.length;
      this.#begin(event, () => this.#invoke(call));
    });
    return event.promise;
  }

  /** Of a call that has changed something before. */
  async #answer(fate: Fate | 'got'): Promise<Reply> {
    await this.#settled();
    if (fate !== 'got' && 'bytes' in fate) return fate;
    const { key } = this;
    if (fate === 'got') throw new CoordinatorError('coordinator-interrupted', `What became of this call of ${shown(key)} is not remembered any more.`, { outcome: 'unknown' });
    if (fate.kind === 'large') throw new CoordinatorError('coordinator-interrupted', `This call of ${shown(key)} has run, and its result was too large to be kept.`, { outcome: 'ran' });
    throw new CoordinatorError('coordinator-interrupted', `Whoever ran this call of ${shown(key)} ended amid it: what it had done up to its last await is there.`, { outcome: 'partial' });
  }

  #refuseCycle({ chain }: Call): void {
    if (chain.length === 0) return;
    const running = [...this.#events.values()].filter(({ isRunning }) => isRunning).map(({ id }) => id);
    for (const holder of this.#gate.holders(running)) {
      const at = chain.findIndex(({ event }) => event === holder);
      if (at < 0) continue;
      const circle = [...chain.slice(at).map(({ shown: name }) => name), shown(this.key)].join(' -> ');
      throw new CoordinatorError('coordinator-deadlock', `Each of these would wait for the next: ${circle}.`, { outcome: 'not-run', retryable: false });
    }
  }

  #refuseOverload({ args }: Call): void {
    if (this.#queued === 0) return;
    const isLate = this.usedAt - this.#firstQueuedAt() > QUEUE_MS;
    if (this.#queued < QUEUE_CALLS && this.#queuedBytes + args.length <= QUEUE_BYTES && !isLate) return;
    throw new CoordinatorError('coordinator-overloaded', `${this.#queued} calls wait for ${shown(this.key)} already.`, { outcome: 'not-run', overloaded: true });
  }

  /** When the call came that has waited for the longest. */
  #firstQueuedAt(): number {
    for (const { isRunning, queuedAt } of this.#events.values()) if (!isRunning) return queuedAt;
    return this.usedAt;
  }

  #invoke({ method, args }: Call): unknown {
    const object = this.#object as Served;
    const given = decode(args) as unknown[];
    if (method === 'fetch') return this.#fetch(object, given);
    const body = this.#publicMethod(method);
    return Reflect.apply(body, object, given);
  }

  /** One of the user's class, not what all objects have, nor what only this calls. */
  #publicMethod(name: string): (...args: unknown[]) => unknown {
    const object = this.#object as Served;
    for (let at = prototypeOf(object); at !== null && !isShared(at); at = prototypeOf(at)) {
      if (!Object.hasOwn(at, name) || name === 'constructor' || name === 'alarm') continue;
      const value: unknown = Reflect.get(at, name, object);
      if (typeof value === 'function') return value as (...args: unknown[]) => unknown;
    }
    throw new TypeError(`${this.key.className} has no method '${name.slice(0, 80)}'.`);
  }

  async #fetch(object: Served, [request]: unknown[]): Promise<unknown> {
    if (object.fetch === undefined) throw new TypeError(`${this.key.className} has no method 'fetch'.`);
    const response = await object.fetch(decodeRequest(request as Parameters<typeof decodeRequest>[0]));
    return encodeResponse(response as Response);
  }

  /** An event begins: nothing else of this coordinator runs. */
  #begin(event: Event, body: () => unknown): void {
    event.isRunning = true;
    const chain = [...(event.call?.chain ?? []), { id: this.id, shown: shown(this.key), event: event.id }];
    const context: Omit<Context, 'instance'> = { chain, blocks: [], event: { wrote: () => this.#wrote(event), call: event.call } };
    let result: unknown;
    try {
      result = this.#enter(context, body);
    } catch (error) {
      return this.#ended(event, 'error', error);
    }
    if (!isThenable(result)) return this.#ended(event, 'value', result);
    result.then(
      (value: unknown) => this.#ended(event, 'value', value),
      (error: unknown) => this.#ended(event, 'error', error),
    );
  }

  #enter<Result>(context: Omit<Context, 'instance'>, body: () => Result): Result {
    return runIn({ instance: this, ...context }, () => this.#storage.enter(body));
  }

  #ended(event: Event, kind: Reply['kind'], result: unknown): void {
    if (this.#end !== null) return;
    this.#gate.ended();
    const reply = event === this.#alarmEvent ? this.#alarmEnded(kind, result) : this.#replyOf(kind, result);
    event.fate = reply.bytes.length <= KEPT_RESULT ? reply : { kind: 'large' };
    if (event.begun) this.#turn.note(event);
    const leave = (): void => {
      if (event.call !== null) this.#events.delete(callName(event.call));
      else this.#alarmEvent = null;
      this.usedAt = this.#surroundings.clock.now();
    };
    this.#output(() => {
      leave();
      event.resolve(reply);
    }, leave);
  }

  #replyOf(kind: Reply['kind'], result: unknown): Reply {
    try {
      const bytes = kind === 'value' ? encode(result) : encodeThrown(result);
      if (bytes.length <= LARGEST_RESULT) return { kind, bytes };
      return { kind: 'error', bytes: encodeThrown(new RangeError(`The result of a call may take ${LARGEST_RESULT} bytes, not ${bytes.length}.`)) };
    } catch (error) {
      return { kind: 'error', bytes: encodeThrown(error) };
    }
  }

  /** Takes note that something has changed, as part of an event where one runs. */
  #wrote(event: Writer | null): void {
    if (event !== null) this.#turn.note(event);
    this.#touch();
  }

  #noteChange(): void {
    const context = currentContext();
    if (context?.instance === this && context.event !== null) context.event.wrote();
    else this.#wrote(null);
  }

  #output(release: () => void, refuse: (error: unknown) => void): void {
    if (this.#end !== null) return refuse(this.#errorFor(null, this.#end));
    this.#turn.output(release, refuse);
    this.#touch();
  }

  /** Resolves once all that has changed is in the journal, and nobody else owned then. */
  #settled(): Promise<void> {
    return new Promise((resolve, reject) => this.#output(resolve, reject));
  }

  /** (rule 17) What runs until nothing is left to run is one turn. */
  #touch(): void {
    if (this.#isFlushDue || this.#end !== null) return;
    this.#isFlushDue = true;
    afterMicrotasks(() => this.#flush());
  }

  /** Writes the turn, and lets its outputs leave. */
  #flush(): void {
    this.#isFlushDue = false;
    if (this.#end !== null || this.#turn.isEmpty) return;
    try {
      if (!this.#settle()) return this.#finish({ message: `${shown(this.key)} has another owner.` });
    } catch (error) {
      const isVoid = !(error instanceof UnsettledError) || error.isVoid;
      const cause = error instanceof UnsettledError ? error.cause : error;
      return this.#finish({ message: `A turn of ${shown(this.key)} could not be written.`, turn: isVoid ? 'void' : 'unknown', cause });
    }
    this.#turn.release();
  }

  /** False: somebody else owns. */
  #settle(): boolean {
    if (!this.#turn.hasChanges) return this.#store.check();
    // (rule 19) At worst somebody looks for nothing.
    const { alarm } = this.#turn;
    if (alarm) this.#surroundings.alarms.note(this.key, alarm.time, this.#store.epoch);
    if (this.#store.settle(this.#turn.record()) === 'deposed') return false;
    this.#turn.written();
    return true;
  }

  /** The instance ends, and what of it has not left never will. */
  #finish(end: End): void {
    if (this.#end !== null) return;
    this.#end = end;
    this.#gate.close();
    const events = [...this.#events.values(), ...(this.#alarmEvent === null ? [] : [this.#alarmEvent])];
    for (const event of events) event.reject(this.#errorFor(event, end));
    this.#events.clear();
    this.#alarmEvent = null;
    this.#turn.refuse(this.#errorFor(null, end));
    this.#storage.end();
    if (end.turn !== undefined) this.#store.leave();
    this.#store.close();
    this.onEnd?.();
  }

  #errorFor(event: Event | null, { message, turn, cause }: End): unknown {
    // What has not begun can as well begin elsewhere, and what was void here has not.
    if (turn === undefined || event?.isRunning === false) return new MovedError();
    const outcome: Outcome = turn === 'unknown' && (event === null || this.#turn.has(event)) ? 'unknown' : event?.begun === true ? 'partial' : 'not-run';
    return new CoordinatorError('coordinator-reset', message, { outcome, cause });
  }

  /** Resolves when what runs has ended, and gives the coordinator up: whoever wants it next need not wait. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const limit = new Promise<void>((resolve) => void setTimeout(resolve, CLOSE_MS).unref());
    const events = (): Promise<unknown>[] => [...this.#events.values(), ...(this.#alarmEvent ? [this.#alarmEvent] : [])].map(({ promise }) => promise);
    await Promise.race([limit, Promise.allSettled(events())]);
    this.evict();
  }

  /** Calls `body` with the object, as part of no event; for tests. */
  inside<Result>(body: (object: Served) => Result): Result {
    this.#requireLive();
    return this.#enter({ chain: [], blocks: [], event: null }, () => body(this.#object as Served));
  }

  /** At once; to be called while it is idle. */
  evict(): void {
    this.#finish({ message: `${shown(this.key)} was closed.`, turn: 'void' });
  }

  /** As if the process had been killed: nothing is given up. */
  crash(): void {
    this.#finish({ message: `${shown(this.key)} crashed.` });
  }

  reset(message: string, cause?: unknown): void {
    this.#finish({ message, turn: 'void', cause });
  }

  // Alarms

  /** Runs the alarm if it is due; resolves when that has ended. */
  async alarmDue(): Promise<void> {
    const { clock, alarms } = this.#surroundings;
    if (this.#end !== null) return;
    const alarm = this.#alarm;
    const { epoch } = this.#store;
    if (alarm === null) return alarms.forget(this.key, epoch);
    if (alarm.time > clock.now()) return alarms.move(this.key, alarm.time, epoch);
    if (this.#alarmEvent !== null) return;
    const event = new Event(null, clock.now());
    this.#alarmEvent = event;
    this.#gate.enqueue(() => this.#begin(event, () => this.#runAlarm()));
    await event.promise.catch(() => undefined);
  }

  get #alarm(): Alarm | null {
    const pending = this.#turn.alarm;
    return pending === undefined ? this.#store.alarm : pending;
  }

  #running: Alarm | null = null;

  #runAlarm(): unknown {
    this.#running = this.#alarm;
    const { attempt = 0 } = this.#running ?? {};
    const object = this.#object as Served;
    if (object.alarm === undefined) throw new TypeError(`${this.key.className} has no method 'alarm'.`);
    return object.alarm({ attempt });
  }

  /** Where the handler has not set another, it is over, or tried again. */
  #alarmEnded(kind: Reply['kind'], result: unknown): Reply {
    const ran = this.#running;
    const isSame = ran !== null && this.#alarm?.time === ran.time && this.#alarm.attempt === ran.attempt;
    this.problem = kind === 'value' || ran === null ? null : { attempt: ran.attempt + 1, error: result };
    if (isSame) {
      this.#turn.alarm = kind === 'value' ? null : retryOf(ran, this.#surroundings.clock.now());
      if (this.#turn.alarm === null) this.#output(() => this.#forgetAlarm(), () => undefined);
    }
    return { kind: 'value', bytes: new Uint8Array(0) };
  }

  #forgetAlarm(): void {
    if (this.#alarm === null) this.#surroundings.alarms.forget(this.key, this.#store.epoch);
  }

  // What the object is given

  readonly state: CoordinatorState<Client>;

  #blocks(): readonly Block[] {
    const context = currentContext();
    return context?.instance === this ? context.blocks : [];
  }

  #createState(): CoordinatorState<Client> {
    const { key } = this;
    const client = (): Client => this.#storage.client;
    const call = (): { readonly id: string } | undefined => this.#callNow();
    return Object.freeze({
      name: key.name,
      className: key.className,
      origin: key.origin,
      get storage() {
        return client();
      },
      get call() {
        return call();
      },
      setAlarm: (time: number | Date) => this.#setAlarm(time),
      getAlarm: () => this.#alarm?.time ?? null,
      deleteAlarm: () => this.#setAlarm(null),
      transaction: <Result>(body: () => Result) => this.#transaction(body),
      blockConcurrencyWhile: <Result>(body: () => Promise<Result> | Result) => heard(this.#blockConcurrencyWhile(body)),
      wait: <Result>(promise: PromiseLike<Result>) => this.#gate.deliver(this.#blocks(), promise),
      waitUntil: (promise: PromiseLike<unknown>) => this.#waitUntil(promise),
      fetch: (input: string | URL | Request, init?: RequestInit) => this.send(() => globalThis.fetch(input, init)),
      abort: (reason?: unknown) => this.reset(`${shown(key)} was given up by its own code.`, reason),
    });
  }

  #callNow(): { readonly id: string } | undefined {
    const context = currentContext();
    const call = context?.instance === this ? context.event?.call : undefined;
    return call ? { id: callName(call) } : undefined;
  }

  /** Does what reaches others once the turn is in the journal; what awaits the result goes on alone. */
  send<Result>(work: () => Promise<Result>): Promise<Result> {
    const blocks = this.#blocks();
    return this.#gate.deliver(blocks, this.#settled().then(work));
  }

  #setAlarm(given: number | Date | null): void {
    const time = given === null ? null : Math.ceil(Number(given));
    if (time !== null && !(Number.isSafeInteger(time) && time >= 0)) throw new TypeError(`An alarm is set to a time in milliseconds since 1970, or a Date, not to ${String(given)}.`);
    this.#requireLive();
    if (time === null && this.#alarm === null) return;
    this.#turn.alarm = time === null ? null : { time, attempt: 0 };
    this.#noteChange();
  }

  #requireLive(): void {
    if (this.#end !== null) throw this.#errorFor(null, { turn: 'void', ...this.#end });
  }

  #transaction<Result>(body: () => Result): Result {
    const { map } = this.#turn;
    const before = map.mark();
    try {
      const result = body();
      if (!isThenable(result)) return result;
      Promise.resolve(result).catch(() => undefined);
      throw new TypeError('transaction() takes a function that awaits nothing. Nothing was stored.');
    } catch (error) {
      map.rollBack(before);
      throw error;
    }
  }

  async #blockConcurrencyWhile<Result>(body: () => Promise<Result> | Result): Promise<Result> {
    this.#requireLive();
    const context = currentContext();
    const isOwn = context?.instance === this;
    const block: Block = { event: isOwn ? (context.chain.at(-1)?.event ?? '') : '' };
    const blocks = [...this.#blocks(), block];
    this.#gate.block(block);
    const stop = this.#surroundings.clock.after(BLOCK_MS, () => {
      this.reset(`A section of blockConcurrencyWhile() of ${shown(this.key)} has not come to its end within ${BLOCK_MS / 1000} seconds.`);
    });
    try {
      const result = this.#enter({ chain: isOwn ? context.chain : [], blocks, event: isOwn ? context.event : null }, body);
      return await this.#gate.deliver(blocks, Promise.resolve(result));
    } catch (error) {
      // Nobody may use what its constructor could not complete.
      if (!isOwn || context.event === null) this.reset(`What ${shown(this.key)} does first has failed.`, error);
      throw error;
    } finally {
      stop();
      this.#gate.unblock(block);
    }
  }

  #waitUntil(promise: PromiseLike<unknown>): void {
    this.#kept += 1;
    const done = (): void => {
      this.#kept -= 1;
    };
    promise.then(done, done);
  }

  /** The map as its code sees it. */
  #area(): TurnMap {
    const { map } = this.#turn;
    const noted = (outcome: SetOutcome): SetOutcome => {
      if (outcome.accepted) this.#noteChange();
      return outcome;
    };
    return {
      get: (key) => map.get(key),
      key: (index) => map.key(index),
      keys: () => map.keys(),
      get length() {
        return map.length;
      },
      set: (key, value) => (map.get(key) === value ? map.set(key, value) : noted(map.set(key, value))),
      remove: (key) => (map.get(key) === null ? map.remove(key) : noted(map.remove(key))),
      clear: () => noted(map.clear()),
      subscribe: () => () => undefined,
      transact: (body) => {
        const result = this.#transaction(() => body(map));
        this.#noteChange();
        return { outcome: ACCEPTED, result, steps: [] };
      },
    };
  }
}

/** A constructor cannot await what it has begun. */
function heard<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => undefined);
  return promise;
}

function prototypeOf(object: object): object | null {
  return Object.getPrototypeOf(object) as object | null;
}

/** What all coordinators have is not for callers. */
function isShared(prototype: object): boolean {
  return prototype === Object.prototype || Object.hasOwn(prototype, coordinatorBase);
}

function retryOf({ attempt }: Alarm, now: number): Alarm {
  const delay = attempt + 1 >= MANY_FAILURES ? HOUR_MS : FIRST_RETRY_MS * 2 ** attempt;
  return { time: now + delay, attempt: attempt + 1 };
}
