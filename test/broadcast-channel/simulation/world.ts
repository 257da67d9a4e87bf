// A simulated world of regions, each with a root and two processes, whose channels span a hub: an entry of its own, so
// that it can be bundled with a product that is broken.
import { ChannelRelay } from '../../../src/sync/channels/channel-relay.ts';
import { Chance } from '../../sync/simulation/chance.ts';
import { Clock } from './clock.ts';
import { Judge, type Witness } from './judge.ts';
import { SimHub, type Way } from './sim-hub.ts';
import { SimProcess, SimRoot } from './sim-root.ts';

const REGIONS = ['eu', 'us', 'ap'];
const PROCESSES = 2;
const CAPABILITIES = { durability: 'killed', dedupe: 'always', notifies: true, maxEntryBytes: 2 ** 20, maxBlobBytes: 2 ** 22, warnings: [] } as const;

/** How long the world may take to come to rest, in its milliseconds. */
const REST_MS = 200_000;

interface Speaker {
  readonly process: SimProcess;
  readonly relay: ChannelRelay;
}

class SimRegion {
  readonly name: string;
  readonly way: Way = { isCut: false };
  readonly witnesses: { readonly process: SimProcess; readonly from: ReadonlySet<string> }[] = [];
  readonly root = new SimRoot();
  processes: readonly SimProcess[];
  #speaker: Speaker;
  #isHandingOver = false;
  readonly #world: World;

  constructor(name: string, world: World) {
    this.name = name;
    this.#world = world;
    this.processes = Array.from({ length: PROCESSES }, () => this.#newProcess(null));
    this.#speaker = this.#speakBy(this.#processAt(0));
  }

  #newProcess(like: SimProcess | null): SimProcess {
    const process = new SimProcess(`${this.name}.${this.witnesses.length}`, this.root, like, this.#world);
    this.witnesses.push({ process, from: new Set(this.#world.judge.posted) });
    return process;
  }

  #processAt(index: number): SimProcess {
    const process = this.processes[index];
    if (process === undefined) throw new Error(`${this.name} has no process ${index}.`);
    return process;
  }

  #speakBy(process: SimProcess): Speaker {
    const { hub, clock } = this.#world;
    const log = hub.seenBy(process, this.way);
    const relay = new ChannelRelay({ journal: process, log, name: 'channels', hubName: 'simulated', path: '', onProblem: () => undefined, surroundings: clock.surroundings(process) });
    relay.takeOver();
    relay.start(CAPABILITIES);
    return (this.#speaker = { process, relay });
  }

  /** Whether nothing can come to it, nor is on the way. */
  get isAway(): boolean {
    return this.way.isCut && this.#speaker.process.current().link === 0;
  }

  get follows(): boolean {
    const { link, bytes } = this.#speaker.process.current();
    return link !== 0 && bytes === 0;
  }

  get isAwake(): boolean {
    return !this.#isHandingOver && this.processes.every(({ state }) => state === 'runs');
  }

  #other(process: SimProcess): SimProcess {
    return this.processes.find((each) => each !== process) ?? process;
  }

  /** Whoever speaks with the hub is killed; another one goes on, and a new one comes beside it. */
  kill(): void {
    const { process } = this.#speaker;
    process.state = 'dead';
    this.root.processes.delete(process);
    const next = this.#other(process);
    this.processes = [next, this.#newProcess(next)];
    this.#speakBy(next);
  }

  /** Whoever speaks with the hub is stopped for so long that another one takes his place; then he goes on. */
  sleep(milliseconds: number): void {
    const { process, relay } = this.#speaker;
    process.state = 'sleeps';
    this.#speakBy(this.#other(process));
    this.#world.clock.after(milliseconds, null, () => {
      if (process.state !== 'sleeps') return;
      process.state = 'runs';
      this.#world.clock.after(this.#world.chance.next() * 1000, process, () => void relay.stop());
    });
  }

  handOver(): void {
    const { process, relay } = this.#speaker;
    this.#isHandingOver = true;
    void relay.stop().then(() => {
      this.#isHandingOver = false;
      this.#speakBy(this.#other(process));
    });
  }

  testimonies(): Witness[] {
    return this.witnesses.map(({ process, from }) => ({ name: process.name, region: this.name, heard: process.heard, from, lasted: process.state !== 'dead' }));
  }
}

class World {
  readonly chance: Chance;
  readonly clock: Clock;
  readonly hub: SimHub;
  readonly judge = new Judge();
  readonly #regions: readonly SimRegion[];

  constructor(seed: number) {
    this.chance = new Chance(seed);
    this.clock = new Clock(this.chance);
    this.hub = new SimHub(this.clock, this.chance);
    this.#regions = REGIONS.map((name) => new SimRegion(name, this));
    this.hub.onAppend = (entries) => this.judge.appended(entries, this.#regions.filter((region) => region.isAway).map(({ name }) => name));
  }

  async fault(): Promise<string | null> {
    if (!(await this.#rests())) return 'the regions never follow the hub';
    this.hub.loss = this.chance.pick([0, 0.02, 0.1]);
    for (let step = 0; step < 60; step += 1) {
      this.#step();
      await this.clock.run(this.clock.now + this.chance.pick([0, 1, 20, 200]));
    }
    return (await this.#end()) ?? this.judge.faultOf(this.#regions.flatMap((region) => region.testimonies()));
  }

  #step(): void {
    const region = this.chance.pick(this.#regions);
    if (this.chance.is(0.75)) return this.#post(region);
    if (this.chance.is(0.6)) return this.#disturb(region);
    if (region.isAwake && region.follows) this.chance.pick([() => region.kill(), () => region.sleep(this.chance.next() * 3000), () => region.handOver()])();
  }

  #post(region: SimRegion): void {
    const process = this.chance.pick(region.processes);
    if (process.state !== 'runs') return;
    for (let left = 1 + this.chance.below(4); left > 0; left -= 1) this.judge.posted.push(process.post());
  }

  /** One that sleeps may have an answer that it has not read: it is not cut off. */
  #disturb(region: SimRegion): void {
    if (region.way.isCut) region.way.isCut = false;
    else if (region.isAwake) region.way.isCut = true;
  }

  #rests(): Promise<boolean> {
    return this.clock.run(this.clock.now + REST_MS, () => this.#regions.every((region) => region.isAwake && region.follows));
  }

  /** All is well again: what is posted then comes to everybody, in one order. */
  async #end(): Promise<string | null> {
    this.hub.loss = 0;
    for (const { way } of this.#regions) way.isCut = false;
    await this.clock.run(this.clock.now + 10_000);
    if (!(await this.#rests())) return 'not all regions follow the hub again';
    const last = this.#regions.flatMap(({ processes }) => processes).map((process) => process.post());
    this.judge.posted.push(...last);
    await this.clock.run(this.clock.now + 10_000);
    const all = this.judge.order.slice(-last.length);
    const heard = this.#regions.flatMap((region) => region.testimonies()).filter(({ lasted }) => lasted);
    const deaf = heard.find((each) => each.heard.slice(-last.length).map((one) => (one === 'missed' ? one : one.id)).join() !== all.join());
    return deaf === undefined ? null : `${deaf.name} does not hear the last messages in the hub's order`;
  }
}

/** What goes wrong first, in worlds of these seeds. */
export async function firstFailure(from: number, count: number): Promise<string | null> {
  for (let seed = from; seed < from + count; seed += 1) {
    const fault = await new World(seed).fault();
    if (fault !== null) return `seed ${seed}: ${fault}`;
  }
  return null;
}
