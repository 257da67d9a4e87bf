import { ByteWriter } from '../../../src/disk/replica/byte-writer.ts';
import { ClientTable } from '../../../src/disk/replica/client-table.ts';
import { writeBase } from '../../../src/disk/replica/snapshot.ts';
import type { Replica } from '../../../src/disk/replica/replica.ts';
import { isSameDigest } from '../../../src/sync/replicator/digest.ts';
import { judge } from './judge.ts';
import { HEALTHY } from './mutants.ts';
import type { Mutant } from './mutants.ts';
import { SimHub } from './sim-hub.ts';
import { keyOf } from './sim-process.ts';
import type { SimProcess } from './sim-process.ts';
import { SimRegion } from './sim-region.ts';
import { settled, World } from './world.ts';

/** What a run has at most one of, beside the everyday trouble: each allows what the others forbid. */
export const DISASTERS = ['none', 'rollback', 'clone', 'copied machine', 'restored hub', 'lost hub'] as const;
export type Disaster = (typeof DISASTERS)[number];

/** What kind of world a seed makes. */
export interface Plan {
  /** Of trouble, before the calm. */
  readonly steps: number;
  /** What a step is: how probable it is that it is that, or one of those before it; otherwise it is trouble. */
  readonly odds: { readonly delivery: number; readonly write: number; readonly time: number };
  /** How often the disaster may strike. */
  readonly strikes: number;
  /** What there is of no other kind of trouble; undefined: the seed decides, and there is everyday trouble too. */
  readonly only?: { readonly disaster: Disaster; readonly clients: number };
}

/** Anything may happen. */
export const ANY: Plan = { steps: 220, odds: { delivery: 0.7, write: 0.84, time: 0.93 }, strikes: 1 };

/** A hub that forgets soon who wrote is restored to any of its backups, again and again. */
export const RESTORES: Plan = {
  steps: 600,
  odds: { delivery: 0.86, write: 0.92, time: 0.96 },
  strikes: 3,
  only: { disaster: 'restored hub', clients: 2 },
};

/** With every copy, and every incarnation that one of them makes. */
const MOST_REGIONS = 100;
/** Fewer than there are regions: then each is forgotten again and again. */
const MOST_CLIENTS = [2, 3, 1024, 1024];

const NOTHING = new Uint8Array(0);

/** How much of all trouble has nothing to do with backups and disasters. */
const EVERYDAY = 0.75;

/** What has a hub forget entries, or blobs. */
const FORGETTING = / asks (putSnapshot|trim|collectBlobs) /;

const QUOTA = 3000;
/** Steps of the calm after the trouble; a world that has not come to rest by then never will. */
const CALM_STEPS = 20_000;

export class Scenario {
  readonly world: World;
  readonly hub: SimHub;
  regions: SimRegion[];
  readonly disaster: Disaster;
  readonly #plan: Plan;
  #strikesLeft: number;
  /** A new log may get what was under way to the old one, and again what its sender adds to it. */
  #mayRepeat = false;
  /** What the hub had each time before it was restored. */
  #forgotten: SimHub['content']['history'][] = [];
  #hubBackups: SimHub['content'][] = [];

  constructor(seed: number, mutant: Mutant = HEALTHY, plan: Plan = ANY) {
    this.world = new World(seed);
    this.#plan = plan;
    this.#strikesLeft = plan.strikes;
    const [disaster, clients] = [this.world.chance.pick(DISASTERS), this.world.chance.pick(MOST_CLIENTS)];
    this.disaster = plan.only?.disaster ?? disaster;
    ClientTable.most = plan.only?.clients ?? clients;
    this.hub = new SimHub(this.world);
    this.regions = ['r1', 'r2', 'r3'].map((name) => new SimRegion(this.world, this.hub, name, mutant));
  }

  /** @throws what was found to be wrong */
  async run(): Promise<void> {
    const { steps } = this.#plan;
    for (const region of this.regions) {
      region.start().lead();
      if (this.world.chance.is(0.4)) region.start();
    }
    this.regions[0]?.processes[0]?.limit(QUOTA);
    for (let step = 0; step < steps; step++) {
      this.#step(step / steps);
      await settled();
      this.#checkViews();
    }
    await this.#calmDown();
    this.#checkViews();
    if (!this.#isDeceptive()) this.#checkEnd();
  }

  #step(progress: number): void {
    const { world } = this;
    const what = world.chance.next();
    const { odds } = this.#plan;
    if (what < odds.delivery && world.messages.length > 0) world.deliver();
    else if (what < odds.write) world.chance.pick(this.regions).write();
    else if (what < odds.time) world.passTime();
    else this.#trouble(progress);
  }

  #trouble(progress: number): void {
    const { world } = this;
    const region = world.chance.pick(this.regions);
    const what = this.#plan.only === undefined ? world.chance.next() : EVERYDAY + (1 - EVERYDAY) * world.chance.next();
    if (what < 0.15) this.#note(`${region.name} is ${region.isCutOff ? 'back' : 'cut off'}`, () => (region.isCutOff = !region.isCutOff));
    else if (what < 0.35) this.#note(`${region.name} loses a process`, () => region.kill(world.chance.pick(region.processes)));
    else if (what < 0.45) this.#note(`${region.name} gets a process`, () => void (region.processes.length < 3 && region.start()));
    else if (what < 0.55) this.#note(`${region.name} has another leader`, () => region.electOther());
    else if (what < 0.7) this.#note(`${region.name} compacts`, () => region.compact());
    else if (what < EVERYDAY) this.#note(`${region.name} restarts`, () => region.restart());
    else if (what < 0.85) this.#backUp(region);
    else if (this.#strikesLeft > 0 && progress > 0.3 && this.#isTold(region)) this.#strike(region);
  }

  /**
   * Where incarnations are forgotten, copies of a root that had never heard of its hub, with writes that wait for it,
   * are taken for roots of their own: docs/SYNC.md says so.
   */
  #isTold({ processes }: SimRegion): boolean {
    return ClientTable.most > MOST_REGIONS || (processes[0]?.replica?.epoch ?? '') !== '';
  }

  #note(what: string, happens: () => void): void {
    this.world.note(what);
    happens();
  }

  #backUp(region: SimRegion): void {
    if (!this.#isTold(region)) return;
    region.backUp();
    this.#hubBackups.push(this.hub.content);
    this.world.note(`${region.name} and the hub (at ${this.hub.position}) are backed up`);
  }

  #strike(region: SimRegion): void {
    const { disaster } = this;
    this.#strikesLeft -= 1;
    this.world.note(`disaster: ${disaster} (${region.name})`);
    if (disaster === 'rollback') this.#strikesLeft += region.rollBack() ? 0 : 1;
    else if (disaster === 'clone') this.regions.push(region.clone(false));
    else if (disaster === 'copied machine') this.#copy(region);
    else if (disaster === 'lost hub') this.#loseHub(() => this.hub.lose());
    else if (disaster === 'restored hub') this.#restoreHub();
  }

  /** Both go on with the same ids, and do the same now and then, also after they did something else. */
  #copy(region: SimRegion): void {
    const { chance } = this.world;
    const clone = region.clone(true);
    this.regions.push(clone);
    for (let left = chance.below(6); left > 0; left--) {
      const alike = chance.is(0.5);
      const choice = chance.below(100);
      for (const twin of [region, clone]) twin.writeAsTwin(alike, choice);
    }
  }

  /**
   * What was confirmed is then added to the new log as it shows, key by key: a value that was overwritten has no turn
   * any more. What had none has one yet.
   */
  #loseHub(happens: () => void): void {
    const { decided } = judge(this.hub);
    happens();
    this.#mayRepeat = true;
    for (const region of this.regions) region.writes = region.writes.filter(({ key }) => !decided.has(key));
  }

  #restoreHub(): void {
    // It is stopped meanwhile, as docs/SYNC.md asks where it is restored again and again: what forgets comes to no other history.
    if (this.#plan.only !== undefined) this.world.breakOff((what) => FORGETTING.test(what));
    const backup = this.#plan.only === undefined || this.#hubBackups.length === 0 ? this.#hubBackups.at(-1) : this.world.chance.pick(this.#hubBackups);
    this.#forgotten.push(this.hub.content.history);
    // Nobody restores what was made after an earlier backup that was restored.
    if (backup !== undefined) this.#hubBackups.length = this.#hubBackups.indexOf(backup) + 1;
    if (backup === undefined) this.#strikesLeft += 1;
    else if (backup.history.length === 0) this.#loseHub(() => (this.hub.content = backup));
    else this.hub.content = backup;
  }

  async #calmDown(): Promise<void> {
    const { world } = this;
    world.troubled = false;
    world.note('calm');
    for (const region of this.regions) region.isCutOff = false;
    for (let step = 0; step < CALM_STEPS; step++) {
      if (world.messages.length > 0) world.deliver();
      else if (this.regions.every((region) => this.#isAtRest(region))) return;
      else world.passTime();
      await settled();
    }
    throw new Error(`No rest: ${this.regions.map((region) => this.#describe(region)).join('; ')}; hub at ${this.hub.position}`);
  }

  #isAtRest({ processes }: SimRegion): boolean {
    const replica = processes[0]?.replica;
    if (replica === null || replica === undefined || !replica.active) return false;
    // It may have come there by another history, and not have looked since the hub was restored.
    if (!isSameDigest(replica.digest, this.hub.digest)) return false;
    return replica.position === this.hub.position && replica.epoch === this.hub.content.epoch && replica.pending.length === 0;
  }

  #describe({ name, processes }: SimRegion): string {
    const replica = processes[0]?.replica;
    if (replica === null || replica === undefined) return `${name} follows nothing`;
    const { position, epoch, pending, diverged, link } = replica;
    return `${name} at ${position} of ${epoch}, ${pending.length} pending${diverged ? ', diverged' : ''}: ${link.problem}`;
  }

  /**
   * (12) Whether a restored hub has the same entry at the same place again after others than before: an append that was
   * under way when it was restored, and that some region has from the time before. No handshake can tell.
   */
  #isDeceptive(): boolean {
    return this.#forgotten.some((history) => {
      const same = this.hub.content.history.map(({ bytes }, at) => Buffer.compare(bytes, history[at]?.bytes ?? NOTHING) === 0);
      return same.includes(false) && same.lastIndexOf(true) > same.indexOf(false);
    });
  }

  get #processes(): SimProcess[] {
    return this.regions.flatMap(({ processes }) => processes);
  }

  /** (7) What events have told is what shows. */
  #checkViews(): void {
    for (const region of this.regions) for (const process of region.processes) this.#checkView(process);
  }

  #checkView(process: SimProcess): void {
    const { name, machine, seen, reader } = process;
    if (process.checked === reader.applied) return;
    process.checked = reader.applied;
    const shown = machine.state;
    const isSame = shown.size === seen.size && [...seen].every(([key, value]) => shown.get(key) === value);
    if (!isSame) throw new Error(`Events of ${name} tell ${describe(seen)}, and it shows ${describe(new Map(shown.entries()))}`);
  }

  #checkEnd(): void {
    if (this.hub.robbed.length > 0) throw new Error(`Blobs are missing that these entries name: ${this.hub.robbed.join(', ')}`);
    const verdict = judge(this.hub);
    // What two copies of a machine do alike, with the same ids, nobody can tell apart.
    const twice = this.disaster === 'copied machine' ? verdict.twice.filter(isUnique) : verdict.twice;
    if (twice.length > 0 && !this.#mayRepeat) throw new Error(`Twice: ${twice.join(', ')}`);
    for (const { name, machine, replica } of this.#processes) {
      const shown = describe(new Map(machine.state.entries()));
      if (shown !== describe(verdict.map)) throw new Error(`${name} shows ${shown}, and the order gives ${describe(verdict.map)}`);
      if (machine.state.bytes !== verdict.bytes) throw new Error(`${name} counts ${machine.state.bytes} bytes of ${verdict.bytes}`);
      if (machine.state.quota !== verdict.quota) throw new Error(`${name} has quota ${machine.state.quota}, not ${verdict.quota}`);
      if (replica !== null) this.#checkBase(name, replica);
    }
    for (const region of this.regions) {
      this.#checkWrites(region, verdict.decided);
      this.#checkOrder(region, [...verdict.decided.keys()]);
    }
  }

  /** (11) With the table of clients. */
  #checkBase(name: string, replica: Replica): void {
    const first = this.#processes[0]?.replica;
    if (first !== undefined && first !== null && bytesOf(first) !== bytesOf(replica)) throw new Error(`The base of ${name} has other bytes`);
  }

  /**
   * Each process's writes have their turns in the order in which it made them. Not so where a hub was restored: what was
   * under way to it may come before what it had forgotten.
   */
  #checkOrder({ name, writes }: SimRegion, order: readonly string[]): void {
    if (this.disaster === 'restored hub') return;
    const turns = new Map(order.map((key, turn) => [key, turn]));
    const last = new Map<string, number>();
    for (const { key, writer } of writes) {
      const turn = turns.get(key);
      if (turn === undefined || !isUnique(key)) continue;
      if (turn < (last.get(writer) ?? -1)) throw new Error(`In ${name} a later one of the same process came before: ${key}`);
      last.set(writer, turn);
    }
  }

  /** Nothing that was accepted is lost or silently dropped. */
  #checkWrites({ name, writes, processes }: SimRegion, decided: ReadonlyMap<string, boolean>): void {
    const rejected = new Set(processes[0]?.replica?.rejections.items.map(({ operation }) => keyOf(operation)));
    for (const { key } of writes) {
      if (rejected.has(key)) continue;
      const refused = decided.get(key);
      if (refused === true) throw new Error(`${name} was not told that this was refused: ${key}`);
      if (refused === undefined) throw new Error(`${name} has lost: ${key}`);
    }
  }
}

/** Two copies of a machine may do the same under the same id; not so where a value is set. */
function isUnique(key: string): boolean {
  return key.includes('#');
}

function bytesOf({ epoch, position, digest, clients, model }: Replica): string {
  const writer = new ByteWriter();
  writeBase(writer, { epoch, position, digest }, clients, model);
  return Buffer.from(writer.finish()).toString('latin1');
}

/** With the order of keys. */
function describe(map: ReadonlyMap<string, string>): string {
  return JSON.stringify([...map].map(([key, value]) => [key, value.slice(0, 40), value.length]));
}
