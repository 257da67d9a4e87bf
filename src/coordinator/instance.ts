import { UnsettledError } from '../disk/coordinator/owned-journal.ts';
import type { Alarm, Fate } from '../disk/coordinator/owned-records.ts';
import { allOrNone } from '../disk/map/all-or-none.ts';
import { isThenable } from '../runtime/brands.ts';
import { runInScope } from '../runtime/scope.ts';
import { setTimeout } from '../runtime/timers.ts';
import type { Activity } from './activity.ts';
import type { Call } from './call.ts';
import { Calls } from './calls.ts';
import { currentContext, type Context } from './context.ts';
import { errorOf } from './end.ts';
import type { End } from './end.ts';
import { CoordinatorError, MovedError, shown } from './errors.ts';
import { Event } from './event.ts';
import type { EventOwner, Waiter } from './event.ts';
import { replyOfFate } from './fate.ts';
import { Gate, type Block } from './gate.ts';
import type { Reply } from './messages.ts';
import { OutputGate, type TurnOwner } from './output-gate.ts';
import { alarmAt, OwnAlarm, requireAlarm } from './own-alarm.ts';
import { OwnState, type Stateful } from './own-state.ts';
import { BLOCK_MS, runSection } from './section.ts';
import { invoke, NO_METHOD, noMethod, replyOf } from './served.ts';
import type { Served, ServedClass } from './served.ts';
import { callName } from './state.ts';
import type { CoordinatorState } from './state.ts';
import type { CoordinatorKey, LiveStorage, Store, Surroundings } from './store.ts';
import { PendingTurn } from './turn.ts';
import type { Output, Writer } from './turn.ts';
import { TurnArea } from './turn-area.ts';
import type { ChangeListener } from './turn-area.ts';

/** Results up to here are kept for callers who have to ask again. In bytes. */
const KEPT_RESULT = 1024;

/** Milliseconds that what runs may take when the instance is closed. */
const CLOSE_MS = 30_000;

/** Keeps no process alive. */
export function whenClosingTakesTooLong(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, CLOSE_MS).unref());
}

/** Milliseconds after which a call, or an alarm, that has not come to its end never will. */
const RUN_MS = 15 * 60_000;

const NO_BLOCKS: readonly Block[] = [];

/** Of an alarm. */
const NOBODY: Waiter = { resolve: () => undefined, reject: () => undefined };

/**
 * One live instance of a coordinator, which owns its journal. It keeps these invariants:
 *
 * - (rule 7) a call runs at most once here, and not at all where the ledger knows it;
 * - (rule 16) once something of it could not be written, or somebody else owns, nothing leaves and nothing is written any
 *   more, whatever its code goes on to do.
 */
export class Instance<Client extends object> implements Stateful<Client>, TurnOwner, EventOwner, ChangeListener {
  readonly key: CoordinatorKey;
  /** Called once, when it has come to its end by itself. */
  onEnd: (() => void) | null = null;
  /** The time of its last event, by the clock. */
  usedAt: number;
  readonly id: string;
  readonly #store: Store;
  readonly #surroundings: Surroundings<Client>;
  readonly #gate: Gate;
  readonly #turn: PendingTurn;
  readonly #outputs: OutputGate;
  readonly #alarm: OwnAlarm;
  readonly #storage: LiveStorage<Client>;
  readonly #Class: ServedClass<Client>;
  #object: Served | null = null;
  readonly #calls: Calls;
  #kept = 0;
  #end: End | null = null;
  /** Whether nothing new begins. */
  #isClosing = false;

  /** The store is owned. The object is made by `start`. */
  constructor(key: CoordinatorKey, id: string, Class: ServedClass<Client>, store: Store, surroundings: Surroundings<Client>) {
    this.key = key;
    this.id = id;
    this.#Class = Class;
    this.#store = store;
    this.#surroundings = surroundings;
    this.usedAt = surroundings.clock.now();
    this.state = new OwnState(this);
    this.#gate = new Gate(Class.concurrency === 'serial', surroundings.rounds);
    this.#calls = new Calls(key, this.#gate);
    this.#turn = new PendingTurn(store.map);
    this.#outputs = new OutputGate(this.#turn, store, this, surroundings.rounds);
    this.#alarm = new OwnAlarm(key, store, this.#turn, surroundings);
    this.#storage = surroundings.openStorage(key, new TurnArea(this.#turn.map, this), (work) => this.#gate.hold(this.#blocks(), work));
  }

  /** Makes the object. @throws what its constructor throws, or that the disk refuses its alarm, as a CoordinatorError */
  start(): void {
    const { alarm } = this.#store;
    this.#first('The alarm', 'could not be noted.', () => alarm === null || this.announce(alarm));
    this.#first('The constructor', 'threw an error.', () => (this.#object = this.#enter(NO_BLOCKS, null, () => new this.#Class(this.state))));
  }

  /** Nobody may use what could not begin. */
  #first(what: string, failure: string, body: () => unknown): void {
    try {
      body();
    } catch (cause) {
      const error = new CoordinatorError('coordinator-reset', `${what} of ${shown(this.key)} ${failure}`, { outcome: 'not-run', cause });
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

  isOf({ origin, className, name }: CoordinatorKey): boolean {
    return this.key.name === name && this.key.className === className && this.key.origin === origin;
  }

  /** What its alarms have failed with lately, and how often in a row. */
  get problem(): OwnAlarm['problem'] {
    return this.#alarm.problem;
  }

  get epoch(): number {
    return this.#store.epoch;
  }

  /** What it is doing. */
  get activity(): Activity {
    const { key, epoch, usedAt, problem } = this;
    const { waiting, running } = this.#calls;
    return { ...key, epoch, usedAt, waiting, running, failures: problem?.attempt ?? 0 };
  }

  /** Whether nothing would be lost if it were not there. */
  get isIdle(): boolean {
    return this.#gate.isIdle && this.#calls.isEmpty && this.#kept === 0 && this.#turn.isEmpty && !this.#outputs.isSettling;
  }

  /**
   * Runs a call, in its turn, and gives its result once that may leave. Rejects with a MovedError where it has to be sent
   * elsewhere, and with CoordinatorErrors.
   */
  call(_key: CoordinatorKey, call: Call, waiter: Waiter): void {
    try {
      this.#take(call, waiter);
    } catch (error) {
      waiter.reject(error);
    }
  }

  #take(call: Call, waiter: Waiter): void {
    if (this.#end?.isFirst === true) throw errorOf(this.#end, null, this.#turn);
    if (this.#end !== null || this.#isClosing) throw new MovedError();
    this.usedAt = this.#surroundings.clock.now();
    this.#turn.got(call.caller, call.got);
    const known = this.#calls.get(call);
    if (known !== undefined) return known.join(waiter);
    const fate = this.#store.ledger.fate(call);
    if (fate !== null) return this.#answer(fate, waiter);
    this.#calls.admit(call, this.usedAt);
    this.#calls.add(new Event(this, call, waiter, this.usedAt));
  }

  /** Of a call that has changed something before. */
  #answer(fate: Fate | 'got', waiter: Waiter): void {
    const reply = this.#settled().then(() => replyOfFate(this.key, fate));
    reply.then((given) => waiter.resolve(given), (error: unknown) => waiter.reject(error));
  }

  /** An event begins: nothing else of this coordinator runs. */
  begin(event: Event): void {
    event.isRunning = true;
    this.#calls.begun(event);
    let result: unknown;
    try {
      result = this.#enter(NO_BLOCKS, event, () => this.#run(event));
    } catch (error) {
      return this.#ended(event, 'error', error);
    }
    if (result === NO_METHOD) return this.#ended(event, 'error', noMethod(this.key, event.call?.method ?? ''), true);
    if (!isThenable(result)) return this.#ended(event, 'value', result);
    result.then((value: unknown) => this.#ended(event, 'value', value), (error: unknown) => this.#ended(event, 'error', error));
  }

  #run({ call }: Event): unknown {
    const object = this.#object as Served;
    return call === null ? this.#alarm.run(object) : invoke(object, call);
  }

  #enter<Result>(blocks: readonly Block[], event: Event | null, body: () => Result): Result {
    const context: Context = { client: this.client, instance: this, blocks, event };
    return runInScope(context, body);
  }

  /** `isRefusal`: the result is an error of our own, and nothing of the user's has run. */
  #ended(event: Event, kind: Reply['kind'], result: unknown, isRefusal = false): void {
    if (this.#end !== null) return;
    this.#gate.ended();
    const reply = event.call === null ? this.#alarmEnded(kind, result) : replyOf(kind, result);
    event.fate = reply !== null && reply.bytes.length <= KEPT_RESULT ? reply : { kind: 'large' };
    // What was sent before may come again from where it was lost, also if it changes nothing now.
    if (event.begun || event.call?.isAgain === true) this.#turn.note(event);
    event.reply = isRefusal ? (result as CoordinatorError) : reply;
    this.#output(event);
  }

  left(event: Event): void {
    this.#calls.left(event);
    this.usedAt = this.#surroundings.clock.now();
  }

  /** Takes note that something has changed, as part of an event where one runs. */
  #wrote(event: Writer | null): void {
    if (event !== null) this.#turn.note(event);
    this.#outputs.touch();
  }

  noteChange(): void {
    const context = currentContext();
    this.#wrote(context?.instance === this ? context.event : null);
  }

  #output(output: Output): void {
    if (this.#end !== null) return output.refuse(errorOf(this.#end, null, this.#turn));
    this.#outputs.output(output);
  }

  /** Resolves once all that has changed is in the journal, and nobody else owned then. */
  #settled(): Promise<void> {
    return new Promise((resolve, reject) => this.#output({ behind: null, release: resolve, refuse: reject }));
  }

  // As the output gate's owner

  get isAboutToBegin(): boolean {
    return this.#gate.isAboutToBegin;
  }

  expect({ time }: Alarm): void {
    this.#surroundings.alarms.expect(this.key, time, this.#store.stamp);
  }

  announce({ time }: Alarm): void {
    this.#surroundings.alarms.note(this.key, time, this.#store.stamp);
  }

  deposed(): void {
    this.#finish({ message: `${shown(this.key)} has another owner.` });
  }

  failed(error: unknown): void {
    const isVoid = !(error instanceof UnsettledError) || error.isVoid;
    const cause = error instanceof UnsettledError ? error.cause : error;
    this.#finish({ message: `A turn of ${shown(this.key)} could not be written.`, turn: isVoid ? 'void' : 'unknown', isProven: isVoid, cause });
  }

  /** The instance ends, and what of it has not left never will. */
  #finish(end: End): void {
    if (this.#end !== null) return;
    this.#end = end;
    this.#gate.close();
    for (const event of this.#calls.all()) event.reject(errorOf(end, event, this.#turn));
    this.#calls.clear();
    this.#turn.refuse(errorOf(end, null, this.#turn));
    this.#storage.end();
    if (end.turn !== undefined) this.#store.leave();
    this.#store.close();
    this.onEnd?.();
  }

  /** Nobody waits for ever: to be called each second or so. */
  endLate(): void {
    if (this.#calls.isEmpty) return;
    const now = this.#surroundings.clock.now();
    this.#calls.refuseLate(now);
    if (this.#calls.all().some(({ isRunning, queuedAt }) => isRunning && now - queuedAt > RUN_MS)) {
      this.reset(`A call or an alarm of ${shown(this.key)} has not come to its end within ${RUN_MS / 60_000} minutes.`);
    }
  }

  /** Resolves when what runs has ended, and gives the coordinator up: whoever wants it next need not wait. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await Promise.race([whenClosingTakesTooLong(), this.#allEnded()]);
    this.evict();
  }

  /** Resolves when what runs has ended, and what was changed beside it is written. */
  async #allEnded(): Promise<void> {
    await Promise.all(this.#calls.all().map((event) => event.ended()));
    if (this.isLive && (!this.#turn.isEmpty || this.#outputs.isSettling)) await this.#settled().catch(() => undefined);
  }

  /** Calls `body` with the object, as part of no event; for tests. */
  inside<Result>(body: (object: Served) => Result): Result {
    this.#requireLive();
    return this.#enter(NO_BLOCKS, null, () => body(this.#object as Served));
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
    this.#finish({ message, turn: 'void', isGivenUp: true, cause });
  }

  /** Runs the alarm if it is due; resolves when that has ended. */
  async alarmDue(): Promise<void> {
    if (this.#end !== null || !this.#alarm.isDue(this.#outputs.isSettling) || this.#calls.alarm !== null) return;
    const event = new Event(this, null, NOBODY, this.#surroundings.clock.now());
    this.#calls.add(event);
    await event.ended();
  }

  #alarmEnded(kind: Reply['kind'], result: unknown): Reply {
    if (this.#alarm.ended(kind, result)) this.#output({ behind: null, release: () => this.#alarm.forget(), refuse: () => undefined });
    return { kind: 'value', bytes: new Uint8Array(0) };
  }

  // What the object is given

  readonly state: CoordinatorState<Client>;

  #blocks(): readonly Block[] {
    const context = currentContext();
    return context?.instance === this ? context.blocks : [];
  }

  get client(): Client {
    return this.#storage.client;
  }

  /** The call that runs. */
  get callNow(): { readonly id: string } | undefined {
    const context = currentContext();
    const call = context?.instance === this ? context.event?.call : undefined;
    return call ? { id: callName(call) } : undefined;
  }

  get alarmTime(): number | null {
    return this.#alarm.current?.time ?? null;
  }

  transaction<Result>(body: () => Result): Result {
    const { alarm } = this.#turn;
    try {
      return allOrNone(this.#turn.map, body);
    } catch (error) {
      this.#turn.alarm = alarm;
      throw error;
    }
  }

  wait<Result>(promise: PromiseLike<Result>): Promise<Result> {
    return this.#gate.deliver(this.#blocks(), promise);
  }

  /** Does what reaches others once the turn is in the journal; what awaits the result goes on alone. */
  send<Result>(work: () => Promise<Result>): Promise<Result> {
    const blocks = this.#blocks();
    return this.#gate.deliver(blocks, this.#settled().then(work));
  }

  setAlarm(given: number | Date | null): void {
    const alarm = given === null ? null : alarmAt(given);
    this.#requireLive();
    // What its constructor has not made yet may still come.
    if (alarm !== null && this.#object !== null) requireAlarm(this.key, this.#object);
    if (alarm === null && this.#alarm.current === null) return;
    this.#turn.alarm = alarm;
    this.noteChange();
  }

  #requireLive(): void {
    if (this.#end !== null) throw errorOf({ turn: 'void', ...this.#end }, null, this.#turn);
  }

  async blockConcurrencyWhile<Result>(body: () => Promise<Result> | Result): Promise<Result> {
    this.#requireLive();
    const context = currentContext();
    const event = context?.instance === this ? context.event : null;
    try {
      return await runSection({
        gate: this.#gate,
        clock: this.#surroundings.clock,
        event: event?.id ?? '',
        outer: this.#blocks(),
        enter: (blocks) => this.#enter(blocks, event, body),
        onLate: () => this.reset(`A section of blockConcurrencyWhile() of ${shown(this.key)} has not come to its end within ${BLOCK_MS / 1000} seconds.`),
      });
    } catch (error) {
      // Nobody may use what its constructor could not complete.
      if (event === null) this.#finish({ message: `What ${shown(this.key)} does first has failed.`, turn: 'void', isGivenUp: true, isFirst: true, cause: error });
      throw error;
    }
  }

  waitUntil(promise: PromiseLike<unknown>): void {
    this.#kept += 1;
    const done = (): void => {
      this.#kept -= 1;
    };
    // What is no promise has ended.
    Promise.resolve(promise).then(done, done);
  }
}
