/**
 * Regions, their processes and a hub in trouble, played event by event with the product's own rules: messages are lost on
 * the way there and back, appends come late and twice, processes are killed and paused, clocks run at different rates, the
 * log is trimmed behind a snapshot, and so does what is said of alarms. What callers were told is judged as one counter's;
 * no alarm may be in the log that the index does not know in time, and all have run in the end.
 */
import { mulberry32 } from '../support/mulberry32.ts';
import { AlarmMachine } from '../../src/disk/coordinator/alarm-machine.ts';
import { encodeAlarm, FORGET, MOVE, NOTE } from '../../src/disk/coordinator/alarm-records.ts';
import type { Alarm } from '../../src/disk/coordinator/owned-records.ts';
import { type Answer, OtherHistory, RegionCore, type Want, type Way } from '../../src/coordinator/regions/region-core.ts';

interface Call {
  readonly kind: 'increment' | 'read';
  readonly caller: number;
  readonly number: number;
  /** The least that it may be told: the most that anybody was told before it began. */
  readonly floor: number;
  attempts: number;
  isOver: boolean;
}

const CALLS = 24;
const CALLERS = 3;
const PROCESSES = 4;
const MOST_EVENTS = 40_000;
const LEASE = 40;
/** How often a process looks for alarms, and how long after the last call the last one may run. */
const LOOK = 60;
const AFTERMATH = 20_000;
const KEY = { origin: 'https://app.example', className: 'Counter', name: 'n' };

/** What two questions at once come to. */
function both(head: Answer, read: Answer): Answer {
  if (head.is === 'head' && read.is === 'entries') return { ...head, is: 'head and entries', entries: read.entries };
  return read;
}

/** A log as hubs keep it, with what may happen to messages. */
class SimHub {
  readonly entries: Uint8Array[] = [];
  first = 1;
  snapshot: { position: number; bytes: Uint8Array } | null = null;
  readonly alarms = new AlarmMachine();
  /** Grows with all that comes. */
  age = 0;
  readonly #ids = new Set<string>();
  readonly #remembers: boolean;

  constructor(remembers: boolean) {
    this.#remembers = remembers;
  }

  append(id: string, bytes: Uint8Array): void {
    if (this.#remembers && this.#ids.has(id)) return;
    this.#ids.add(id);
    this.entries.push(bytes);
    this.age += 1;
  }

  /** Something of the alarm, as positions of the log have it. */
  say(kind: number, time: number, stamp: number): void {
    this.age += 1;
    this.alarms.apply({ kind, session: 0, sequence: 0, payload: new Uint8Array(encodeAlarm({ key: KEY, time, epoch: stamp })) });
  }

  answer(want: Want): Answer {
    if (want.do === 'announce') this.say(NOTE, want.time, want.stamp);
    if (want.do === 'head') return { is: 'head', epoch: 'log', position: this.entries.length };
    if (want.do === 'snapshot') return { is: 'snapshot', snapshot: this.snapshot };
    if (want.do === 'append') this.append(want.id, want.bytes);
    if (want.do === 'head and read') return both(this.answer({ do: 'head' }), this.answer({ ...want, do: 'read' }));
    if (want.do !== 'read') return { is: 'done' };
    if (want.after + 1 < this.first) return { is: 'trimmed' };
    return { is: 'entries', entries: this.entries.slice(want.after, want.after + 5).map((bytes, index) => ({ position: want.after + 1 + index, bytes })) };
  }

  keep(snapshot: { position: number; bytes: Uint8Array }): void {
    if (snapshot.position <= (this.snapshot?.position ?? 0)) return;
    this.snapshot = snapshot;
    this.first = Math.max(this.first, snapshot.position - 1);
  }
}

/** A process that runs the coordinator when it can. */
class SimProcess {
  core: RegionCore;
  readonly queue: Call[] = [];
  isBusy = false;
  /** Raised by each kill: what was under way before is nobody's. */
  life = 0;
  pausedUntil = 0;
  readonly now: () => number;
  readonly #makeCore: () => RegionCore;

  constructor(makeCore: (now: () => number) => RegionCore, now: () => number) {
    this.now = now;
    this.#makeCore = () => makeCore(now);
    this.core = this.#makeCore();
  }

  renew(): void {
    this.core = this.#makeCore();
  }

  kill(): Call[] {
    this.life += 1;
    this.isBusy = false;
    this.renew();
    return this.queue.splice(0);
  }
}

class World {
  readonly #random: () => number;
  readonly #hub: SimHub;
  readonly #lease: number;
  readonly #processes: SimProcess[];
  readonly #events: { at: number; run: () => void }[] = [];
  readonly #told = new Set<number>();
  #time = 0;
  #session = 0;
  #most = 0;
  #begun = 0;
  #known = 0;
  #over = 0;
  failure: string | null = null;
  readonly #trouble: number;
  #judgedAt = 0;
  /** What the log comes to, for the judge. */
  readonly #reader = new RegionCore(1e6, 0, () => 0, () => 1);

  constructor(seed: number) {
    this.#random = mulberry32(seed);
    this.#lease = this.#random() < 0.5 ? LEASE : 0;
    this.#hub = new SimHub(this.#random() < 0.6);
    this.#trouble = this.#random() * 0.3;
    const makeCore = (now: () => number): RegionCore => new RegionCore(1e6, this.#lease, now, () => (this.#session += 1));
    this.#processes = Array.from({ length: PROCESSES }, () => {
      const [rate, offset] = [0.99 + this.#random() * 0.02, this.#random() * 1000];
      return new SimProcess(makeCore, () => offset + this.#time * rate);
    });
  }

  play(): string | null {
    for (let caller = 1; caller <= CALLERS; caller++) this.#call(caller, 1);
    for (const process of this.#processes) this.#look(process);
    this.#disturb();
    let end = Infinity;
    for (let count = 0; this.failure === null && !this.#isOver(); count++) {
      const event = this.#next();
      if (event === undefined || count > MOST_EVENTS) return `nothing goes on (${this.#over} calls are over)`;
      if (this.#over === CALLERS * CALLS) end = Math.min(end, this.#time + AFTERMATH);
      if (this.#time > end) return 'an alarm does not come to its end';
      this.#time = event.at;
      event.run();
      this.#judgeLeases();
      this.#judgeAlarm();
    }
    return this.failure ?? this.#judgeLog();
  }

  #isOver(): boolean {
    return this.#over === CALLERS * CALLS && this.#hub.alarms.size === 0;
  }

  #next(): { at: number; run: () => void } | undefined {
    let least = 0;
    for (let index = 1; index < this.#events.length; index++) if ((this.#events[index]?.at ?? 0) < (this.#events[least]?.at ?? 0)) least = index;
    return this.#events.splice(least, 1)[0];
  }

  #after(delay: number, run: () => void): void {
    this.#events.push({ at: this.#time + delay, run });
  }

  #call(caller: number, number: number): void {
    if (number > CALLS) return;
    const kind = this.#random() < 0.5 ? 'increment' : 'read';
    if (kind === 'increment') this.#begun += 1;
    this.#send({ kind, caller, number, floor: this.#most, attempts: 0, isOver: false });
  }

  /** To a process; most go where most go. */
  #send(call: Call): void {
    if (call.isOver) return;
    call.attempts += 1;
    const index = this.#random() < 0.6 ? Math.floor(this.#time / 400) % PROCESSES : Math.floor(this.#random() * PROCESSES);
    const process = this.#processes[index] as SimProcess;
    const { life } = process;
    this.#after(this.#random() * 5, () => {
      if (process.life !== life) return this.#send(call);
      process.queue.push(call);
      this.#work(process);
    });
    // Its caller gives nobody for ever.
    this.#after(150 + this.#random() * 100, () => this.#send(call));
  }

  #reply(call: Call, value: number): void {
    if (call.isOver) return;
    call.isOver = true;
    this.#over += 1;
    const isBelow = call.kind === 'read' ? value < call.floor : value <= call.floor;
    if (isBelow) this.#fail(`a ${call.kind} was told ${value}, when somebody had been told ${call.floor} before`);
    if (value > this.#begun) this.#fail(`a ${call.kind} was told ${value} of ${this.#begun} increments`);
    if (call.kind === 'increment') {
      if (this.#told.has(value)) this.#fail(`two increments were told ${value}`);
      this.#told.add(value);
      this.#known += 1;
    }
    this.#most = Math.max(this.#most, value);
    this.#after(this.#random() * 20, () => this.#call(call.caller, call.number + 1));
  }

  #fail(what: string): void {
    this.failure ??= what;
  }

  #work(process: SimProcess): void {
    if (process.isBusy || process.queue.length === 0) return;
    this.#busyWith(process, this.#serve(process));
  }

  /** Goes a way, alone, and takes up what has come meanwhile. */
  #busyWith(process: SimProcess, way: Way<void>): void {
    process.isBusy = true;
    const done = (): void => {
      process.isBusy = false;
      this.#work(process);
    };
    const broken = (): void => {
      process.renew();
      done();
    };
    this.#walk(process, process.life, way, done, broken);
  }

  /** As an instance, with the coordination around it: owns, runs what has come, and lets the results go when they may. */
  *#serve(process: SimProcess): Way<void> {
    const { core } = process;
    if (!core.owns) {
      yield* core.look();
      if (!(yield* core.claim('p'))) return;
    }
    const calls = process.queue.splice(0, 3);
    const outputs: [Call, number][] = [];
    const ended: { caller: number; number: number; fate: { kind: 'value'; bytes: Uint8Array } }[] = [];
    let n = Number(core.map.get('n') ?? 0);
    for (const call of calls) {
      const fate = call.kind === 'increment' ? core.ledger.fate(call) : null;
      if (fate !== null && fate !== 'got' && 'bytes' in fate) outputs.push([call, fate.bytes[0] ?? 0]);
      else if (call.kind === 'read') outputs.push([call, n]);
      else if (!ended.some(({ caller, number }) => caller === call.caller && number === call.number)) {
        n += 1;
        outputs.push([call, n]);
        ended.push({ caller: call.caller, number: call.number, fate: { kind: 'value', bytes: Uint8Array.of(n) } });
      }
    }
    const steps = [{ kind: 'set' as const, key: 'n', value: String(n) }];
    const alarm = this.#alarmOfTurn();
    const isOurs = ended.length > 0 ? yield* core.settle({ steps: steps as never, alarm, got: [], begun: [], ended }) : yield* core.check();
    if (!isOurs) return process.renew();
    if (alarm === null) this.#tell(core);
    for (const [call, value] of outputs) this.#reply(call, value);
    const snapshot = this.#random() < 0.1 ? core.snapshot() : null;
    if (snapshot !== null) this.#hub.keep(snapshot);
  }

  #alarmOfTurn(): Alarm | null | undefined {
    const dice = this.#random();
    return dice < 0.3 ? { time: Math.ceil(this.#time + this.#random() * 150), attempt: 0 } : dice < 0.4 ? null : undefined;
  }

  /** What the log has of the alarm, said to the index: it may come late, twice, or not. */
  #tell({ alarm, position }: RegionCore): void {
    const say = (): void => this.#hub.say(alarm === null ? FORGET : MOVE, alarm?.time ?? 0, position);
    for (let times = this.#random() < this.#trouble ? 2 : 1; times > 0; times--) if (this.#random() > this.#trouble) this.#after(this.#random() * 120, say);
  }

  /** As the keeper of a process: looks for what is due. */
  #look(process: SimProcess): void {
    this.#after(LOOK * (0.5 + this.#random()), () => {
      const isDue = [...this.#hub.alarms.due(this.#time)].length > 0;
      if (isDue && !process.isBusy && process.pausedUntil <= this.#time) this.#busyWith(process, this.#runAlarm(process));
      this.#look(process);
    });
  }

  *#runAlarm(process: SimProcess): Way<void> {
    const { core } = process;
    if (!core.owns) {
      yield* core.look();
      if (!(yield* core.claim('p'))) return;
    } else if (!(yield* core.check())) return process.renew();
    if (core.alarm !== null && core.alarm.time <= this.#time && !(yield* core.settle({ steps: [], alarm: null, got: [], begun: [], ended: [] }))) return process.renew();
    this.#tell(core);
  }

  /** One way, step by step, over a network that loses, delays and repeats. */
  #walk(process: SimProcess, life: number, way: Way<void>, done: () => void, broken: () => void, answer?: Answer): void {
    if (process.life !== life) return;
    if (process.pausedUntil > this.#time) return this.#after(process.pausedUntil - this.#time, () => this.#walk(process, life, way, done, broken, answer));
    let step: IteratorResult<Want, void>;
    try {
      step = answer === undefined ? way.next({ is: 'done' }) : way.next(answer);
    } catch (error) {
      if (!(error instanceof OtherHistory)) throw error;
      return broken();
    }
    if (step.done === true) return done();
    this.#ask(step.value, process, (next) => this.#walk(process, life, way, done, broken, next), broken);
  }

  #ask(want: Want, process: SimProcess, go: (answer: Answer) => void, broken: () => void): void {
    if (want.do === 'wait') return this.#after(Math.max(0, want.until - process.now()) * 1.011 + 0.1, () => go({ is: 'done' }));
    const { life } = process;
    const [dice, there] = [this.#random(), this.#random() * 8];
    // Once in a while whoever waits gives up, and what is under way still is.
    const lost = (): void => {
      if (this.#random() < 0.1 && process.life === life) broken();
      else go({ is: 'lost' });
    };
    if ((want.do === 'append' || want.do === 'announce') && this.#random() < this.#trouble) this.#after(there + this.#random() * 200, () => this.#hub.answer(want));
    if (dice < this.#trouble / 2) return this.#after(20, lost);
    const back = (answer: Answer): void => {
      if (dice < this.#trouble) this.#after(20, lost);
      else this.#after(this.#random() * 8, () => go(answer));
    };
    if (want.do === 'head and read') this.#askBoth(want.after, there, back);
    else this.#after(there, () => back(this.#hub.answer(want)));
  }

  /** Either may be there first. */
  #askBoth(after: number, there: number, back: (answer: Answer) => void): void {
    const later = there + this.#random() * 8;
    const isHeadFirst = this.#random() < 0.5;
    let first: Answer;
    this.#after(there, () => (first = this.#hub.answer(isHeadFirst ? { do: 'head' } : { do: 'read', after })));
    this.#after(later, () => back(isHeadFirst ? both(first, this.#hub.answer({ do: 'read', after })) : both(this.#hub.answer({ do: 'head' }), first)));
  }

  #disturb(): void {
    this.#after(20 + this.#random() * 200, () => {
      const process = this.#processes[Math.floor(this.#random() * PROCESSES)] as SimProcess;
      if (this.#random() < 0.5) process.pausedUntil = this.#time + this.#random() * 150;
      else for (const call of process.kill()) this.#send(call);
      this.#disturb();
    });
  }

  #judgeLeases(): void {
    if (this.#lease > 0 && this.#processes.filter(({ core }) => core.isLeased).length > 1) this.#fail('two processes have a lease');
  }

  /** (rule 19) The index errs to the early side, at any moment. */
  #judgeAlarm(): void {
    if (this.#judgedAt === this.#hub.age) return;
    this.#judgedAt = this.#hub.age;
    const way = this.#reader.look();
    for (let step = way.next(); step.done !== true; ) step = way.next(this.#hub.answer(step.value));
    const { alarm } = this.#reader;
    const known = this.#hub.alarms.of(KEY)?.time ?? Infinity;
    if (alarm !== null && known > alarm.time) this.#fail(`an alarm is set to ${alarm.time}, and the index has it at ${known}`);
  }

  /** What the log comes to: each call once, and all that anybody was told of. */
  #judgeLog(): string | null {
    const reader = new RegionCore(1e6, 0, () => 0, () => 1);
    const way = reader.look();
    for (let step = way.next(); step.done !== true; ) step = way.next(this.#hub.answer(step.value));
    const n = Number(reader.map.get('n') ?? 0);
    if (n < this.#known || n > this.#begun) return `${this.#known} increments were told of, ${this.#begun} begun, and the log comes to ${n}`;
    return null;
  }
}

/** What is wrong in the world of a seed; null: nothing. */
export function failureOf(seed: number): string | null {
  const failure = new World(seed).play();
  return failure === null ? null : `seed ${seed}: ${failure}`;
}

/** The first failure of so many seeds. */
export function firstFailure(from: number, count: number): string | null {
  for (let seed = from; seed < from + count; seed++) {
    const failure = failureOf(seed);
    if (failure !== null) return failure;
  }
  return null;
}
