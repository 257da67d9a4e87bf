/** Processes of one root in trouble, and whether what their callers saw is what one coordinator, one call at a time, gives. */
import type { CoordinatorState } from '../../../src/coordinator/state.ts';
import { coordinatorBase } from '../../../src/coordinator/state.ts';
import { createStub } from '../../../src/coordinator/stub.ts';
import type { ServedClass } from '../../../src/coordinator/served.ts';
import { OwnedMachine } from '../../../src/disk/coordinator/owned-machine.ts';
import { mulberry32 } from '../../support/mulberry32.ts';
import { unorderable } from '../linearizable.ts';
import type { Operation } from '../linearizable.ts';
import { Realm } from './realm.ts';
import type { SimClient } from './realm.ts';
import { schedule } from './schedule.ts';
import { Disk } from './store.ts';
import type { Mishap } from './store.ts';
import { delay } from './timers.ts';

class Base {
  readonly state: CoordinatorState<SimClient>;

  constructor(state: CoordinatorState<SimClient>) {
    this.state = state;
  }
}

Object.defineProperty(Base.prototype, coordinatorBase, { value: true });

/** A register whose every change says by which call it was made. */
class Register extends Base {
  #get(key: string): number {
    return Number(this.state.storage.map.get(key) ?? 0);
  }

  #change(call: string, value: number): number {
    this.state.storage.map.set('value', String(value));
    this.state.storage.map.set(call, String(this.#get(call) + 1));
    return value;
  }

  read(): number {
    return this.#get('value');
  }

  write(call: string, value: number): void {
    this.#change(call, value);
  }

  increment(call: string): number {
    return this.#change(call, this.read() + 1);
  }

  /** 1: it has got what only one can have; 0: somebody else has it, and nothing was changed. */
  take(call: string): number {
    if (this.state.storage.map.get('taken') !== null && this.state.storage.map.get('taken') !== undefined) return 0;
    this.state.storage.map.set('taken', call);
    this.#change(call, this.read());
    return 1;
  }

  giveBack(call: string): void {
    this.state.storage.map.remove('taken');
    this.#change(call, this.read());
  }

  async blocking(call: string): Promise<number> {
    return this.state.blockConcurrencyWhile(async () => {
      const value = this.read();
      await delay(2);
      return this.#change(call, value + 1);
    });
  }

  async storing(call: string): Promise<number> {
    const value = this.read();
    await this.state.storage.operate();
    return this.#change(call, value + 1);
  }

  /** It changes something in its first turn, and ends in another. */
  async lasting(call: string): Promise<number> {
    const value = this.increment(call);
    await this.state.wait(delay(3));
    return value;
  }

  wake(call: string, after: number): void {
    this.#change(call, this.read());
    this.state.setAlarm(schedule.now + after);
    this.state.storage.map.set('alarm due', String(schedule.now + after));
  }

  alarm(): void {
    if (schedule.random() < 0.2) throw new Error('not now');
    this.state.storage.map.remove('alarm due');
  }
}

class SerialRegister extends Register {
  static readonly concurrency = 'serial';

  override async storing(call: string): Promise<number> {
    const value = this.read();
    await delay(3);
    this.write(call, value + 1);
    return value + 1;
  }
}

const classes = new Map(Object.entries({ Register, SerialRegister })) as unknown as Map<string, ServedClass<SimClient>>;

const ORIGIN = 'https://app.example';
const TROUBLE_MS = 4000;
const PROCESSES = 3;
/** In each of two processes that only call. */
const CALLERS = 2;
const CALLS = 8;
/** After the last of them every alarm has been tried often enough. */
const AFTERMATH_MS = 24 * 3_600_000;
const MOST_STEPS = 1_000_000;

type Stub = Record<'read' | 'write' | 'increment' | 'blocking' | 'storing' | 'lasting' | 'wake' | 'take' | 'giveBack', (...args: unknown[]) => Promise<number | undefined>>;

interface Told {
  readonly on: string;
  readonly call: string;
  readonly outcome: string;
  /** Whether it has told that it would change nothing. */
  readonly isRefusal: boolean;
}

class World {
  readonly #disk = new Disk();
  readonly #random: () => number;
  readonly #realms = new Map<string, Realm>();
  readonly #callers: readonly Realm[];
  readonly #histories = new Map<string, Operation[]>();
  readonly #told: Told[] = [];
  readonly #trouble: number;
  #calls = 0;
  #time = 0;
  #begun = 0;
  isTroubled = true;
  wrong: string | null = null;

  constructor(seed: number) {
    this.#random = mulberry32(seed);
    schedule.begin(this.#random);
    this.#trouble = this.#random();
    for (let n = 0; n < PROCESSES; n++) this.#add();
    this.#callers = Array.from({ length: 2 }, (_, n) => new Realm(`caller${n}`, this.#realms, this.#disk, new Map(), () => 'none'));
  }

  #add(): void {
    this.#begun += 1;
    const mishap = (): Mishap => this.#mishap();
    const realm: Realm = new Realm(`process${this.#begun}`, this.#realms, this.#disk, classes, mishap);
    realm.as(() => realm.keeper.start());
  }

  #mishap(): Mishap {
    if (!this.isTroubled || this.#random() > 0.04 * this.#trouble) return 'none';
    const all = ['full', 'doubt, written', 'doubt, not written', 'killed before', 'killed after'] as const;
    return all[Math.floor(this.#random() * all.length)] ?? 'none';
  }

  run(): void {
    const end = schedule.now + TROUBLE_MS;
    let left = 2 * CALLERS;
    for (const caller of this.#callers) caller.as(() => {
      for (let n = 0; n < CALLERS; n++) void this.#call(caller).then(() => (left -= 1));
    });
    this.#disturb(end);
    this.#steps(() => left === 0 && schedule.now >= end);
    if (left > 0) return void (this.wrong ??= `${left} callers hang`);
    this.isTroubled = false;
    const aftermath = schedule.now + AFTERMATH_MS;
    this.#steps(() => schedule.now >= aftermath || this.#disk.alarms.size === 0);
    this.#judge();
  }

  #steps(isOver: () => boolean): void {
    for (let n = 0; n < MOST_STEPS && !isOver(); n++) if (!schedule.step()) return;
  }

  /** Something befalls one process after another; those that end are followed by others. */
  #disturb(end: number): void {
    const next = 20 + this.#random() * 400 / (0.2 + this.#trouble);
    schedule.add(next, () => {
      if (schedule.now < end) this.#strike();
      for (let n = [...this.#realms.values()].filter(({ isClosed }) => !isClosed).length; n < PROCESSES; n++) this.#add();
      // As long as calls are under way what befalls their turns may end processes too: one is to be left for the alarms.
      if (schedule.now < end + 1000 || this.isTroubled) this.#disturb(end);
    }, null);
  }

  #strike(): void {
    const all = [...this.#realms.values()].filter(({ isClosed, isPaused }) => !isClosed && !isPaused);
    const victim = all[Math.floor(this.#random() * all.length)];
    const dice = this.#random();
    if (victim === undefined) return;
    if (dice < 0.4) victim.kill();
    else if (dice < 0.8) victim.pause(50 + this.#random() * 1500);
    else void victim.as(() => victim.close());
  }

  async #call(caller: Realm): Promise<void> {
    for (let n = 0; n < CALLS; n++) {
      await delay(1 + this.#random() * 300);
      // Some come together.
      await Promise.all(Array.from({ length: this.#random() < 0.3 ? 3 : 1 }, () => this.#one(caller)));
    }
  }

  async #one(caller: Realm): Promise<void> {
    const className = this.#random() < 0.7 ? 'Register' : 'SerialRegister';
    const name = `${className} ${this.#random() < 0.5 ? 'a' : 'b'}`;
    const line = caller.coordination.line({ origin: ORIGIN, className, name });
    const stub = createStub(() => line) as Stub;
    const call = `call${(this.#calls += 1)}`;
    const value = this.#calls * 1000;
    const dice = this.#random();
    if (dice < 0.15) await this.#note(name, call, 'read', 0, () => stub.read());
    else if (dice < 0.3) await this.#note(name, call, 'write', value, () => stub.write(call, value));
    else if (dice < 0.45) await this.#note(name, call, 'increment', 0, () => stub.increment(call));
    else if (dice < 0.55) await this.#note(name, call, 'increment', 0, () => stub.blocking(call));
    else if (dice < 0.67) await this.#note(name, call, 'increment', 0, () => stub.storing(call));
    else if (dice < 0.78) await this.#note(name, call, 'increment', 0, () => stub.lasting(call));
    else if (dice < 0.88) await this.#tell(name, call, () => stub.take(call));
    else if (dice < 0.96) await this.#tell(name, call, () => stub.giveBack(call));
    else await this.#tell(name, call, () => stub.wake(call, this.#random() * 3000));
  }

  async #note(name: string, call: string, kind: Operation['kind'], written: number, body: () => Promise<number | undefined>): Promise<void> {
    const operation: Operation = { kind, written, began: (this.#time += 1), ended: Infinity, result: null };
    const history = this.#histories.get(name) ?? [];
    this.#histories.set(name, history);
    history.push(operation);
    const { outcome, result } = await this.#tell(name, call, body);
    if (outcome === 'done') Object.assign(operation, { result: Number(result ?? 0), ended: (this.#time += 1) });
    if (outcome === 'not-run') history.splice(history.indexOf(operation), 1);
  }

  async #tell(on: string, call: string, body: () => Promise<number | undefined>): Promise<{ outcome: string; result?: number | undefined }> {
    try {
      const result = await body();
      this.#told.push({ on, call, outcome: 'done', isRefusal: result === 0 });
      return { outcome: 'done', result };
    } catch (error) {
      const { outcome } = error as { outcome?: string };
      if (outcome === undefined) this.wrong ??= `a call failed with ${(error as Error).stack ?? String(error)}`;
      this.#told.push({ on, call, outcome: outcome ?? 'none', isRefusal: false });
      return { outcome: outcome ?? 'none' };
    }
  }

  #judge(): void {
    for (const [name, history] of this.#histories) {
      const stuck = unorderable(history);
      if (stuck !== null) this.wrong ??= `${name} has no order: ${JSON.stringify(stuck)}`;
    }
    const machines = new Map([...this.#disk.journals].map(([id, lines]) => [id, replay(lines)]));
    for (const { on, call, outcome, isRefusal } of this.#told) {
      const machine = machines.get(`${ORIGIN} ${on.split(' ')[0] ?? ''} ${on}`);
      const runs = Number(machine?.map.get(call) ?? 0);
      this.#judgeRuns(on, call, outcome, runs);
      if (isRefusal && runs > 0) this.wrong ??= `${call} of ${on} was refused, and has changed something`;
    }
    for (const [id, { alarm, map }] of machines) if (alarm !== null || map.get('alarm due') !== undefined) this.wrong ??= `the alarm of ${id} never ran: ${JSON.stringify(alarm)}`;
  }

  #judgeRuns(on: string, call: string, outcome: string, runs: number): void {
    if (runs > 1) this.wrong ??= `${call} of ${on} has run ${runs} times`;
    if (runs > 0 && outcome === 'not-run') this.wrong ??= `${call} of ${on} has run, and its caller was told that it had not`;
    if (runs === 0 && (outcome === 'partial' || outcome === 'ran')) this.wrong ??= `${call} of ${on} has not run, and its caller was told that it had: ${outcome}`;
  }

  get answered(): number {
    return this.#told.filter(({ outcome }) => outcome === 'done').length;
  }

  get unknown(): number {
    return this.#told.filter(({ outcome }) => outcome === 'unknown').length;
  }

  get epochs(): number {
    return [...this.#disk.journals.values()].reduce((sum, lines) => sum + replay(lines).epoch, 0);
  }
}

function replay(lines: Parameters<OwnedMachine['apply']>[0][]): OwnedMachine {
  const machine = new OwnedMachine();
  machine.map.quota = Infinity;
  for (const each of lines) machine.apply(each);
  return machine;
}

export interface WorldReport {
  readonly wrong: string | null;
  readonly answered: number;
  readonly unknown: number;
  readonly epochs: number;
}

/** One world; to be called where no microtask runs. */
export function runWorld(seed: number): WorldReport {
  const world = new World(seed);
  world.run();
  const { wrong, answered, unknown, epochs } = world;
  return { wrong, answered, unknown, epochs };
}

export interface Soak {
  readonly failures: { readonly seed: number; readonly wrong: string }[];
  answered: number;
  unknown: number;
  epochs: number;
}

/** Worlds one after another, from a seed on; ends with the first failure where only that is asked for. */
export async function soak({ from, count, stopsAtFirst = false, onProgress }: { from: number; count: number; stopsAtFirst?: boolean; onProgress?: (done: number, soak: Soak) => void }): Promise<Soak> {
  const all: Soak = { failures: [], answered: 0, unknown: 0, epochs: 0 };
  for (let done = 0; done < count && !(stopsAtFirst && all.failures.length > 0); done++) {
    const { wrong, answered, unknown, epochs } = await inTask(() => runWorld(from + done));
    if (wrong !== null) all.failures.push({ seed: from + done, wrong });
    all.answered += answered;
    all.unknown += unknown;
    all.epochs += epochs;
    onProgress?.(done + 1, all);
  }
  return all;
}

const setImmediate = globalThis.setImmediate;

function inTask<Result>(body: () => Result): Promise<Result> {
  return new Promise((resolve, reject) =>
    setImmediate(() => {
      try {
        resolve(body());
      } catch (error) {
        reject(error as Error);
      }
    }),
  );
}
