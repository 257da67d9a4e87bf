import type { JournalRecord } from '../../../src/disk/journal/machine.ts';
import { BASE, INCARNATION, REPLICATE } from '../../../src/disk/replica/replica-kinds.ts';
import type { Mutant } from './mutants.ts';
import { SimDisk } from './sim-disk.ts';
import type { SimHub } from './sim-hub.ts';
import { SimProcess } from './sim-process.ts';
import type { Write } from './sim-process.ts';
import type { World } from './world.ts';

/** Rare records. */
const NOTED = new Map([
  [REPLICATE, 'REPLICATE'],
  [INCARNATION, 'INCARNATION'],
  [BASE, 'BASE'],
]);

/** A root: a disk, and the processes that use it. */
export class SimRegion {
  readonly world: World;
  readonly hub: SimHub;
  readonly name: string;
  disk = new SimDisk();
  processes: SimProcess[] = [];
  isCutOff = false;
  readonly notifies: boolean;
  quarantines = 0;
  /** Local writes that were accepted and are on the disk. */
  writes: Write[] = [];
  /** A copy of the disk as it was. */
  #backup: { disk: SimDisk; writes: Write[] } | null = null;
  #started = 0;
  readonly #mutant: Mutant;

  constructor(world: World, hub: SimHub, name: string, mutant: Mutant) {
    this.world = world;
    this.hub = hub;
    this.name = name;
    this.notifies = world.chance.is(0.7);
    this.#mutant = mutant;
  }

  get leader(): SimProcess | undefined {
    return this.processes.find(({ leads }) => leads);
  }

  start(like?: SimProcess): SimProcess {
    this.#started += 1;
    const unique = this.#mark === '' ? '' : `${this.#mark}.`;
    const process = new SimProcess(this, `${this.name}.${unique}${this.#started}`, this.#mutant, like);
    this.processes.push(process);
    return process;
  }

  /** Another one leads, if there is one that does not yet. The former one may go on for a while. */
  electOther(): void {
    this.processes.find(({ leads }) => !leads)?.lead();
  }

  append(record: JournalRecord): void {
    this.disk.append(record);
    const kind = NOTED.get(record.kind);
    if (kind !== undefined) this.world.note(`${this.name} records ${kind}`);
    for (const process of this.processes) process.stir();
  }

  write(): void {
    const process = this.world.chance.pick(this.processes);
    const write = process.write();
    if (write !== null) this.writes.push(write);
    this.world.note(`${process.name} writes ${write === null ? 'nothing' : 'something'}`);
  }

  /** The first process, of which another region has a copy, writes the same as that one, or something of its own. */
  writeAsTwin(alike: boolean, choice: number): void {
    const [process] = this.processes;
    const write = alike ? process?.writeAlike(choice) : process?.writeOwn(choice);
    if (write !== null && write !== undefined) this.writes.push(write);
    this.world.note(`${process?.name ?? ''} writes ${alike ? 'as its twin does' : 'its own'}`);
  }

  kill(process: SimProcess): void {
    process.alive = false;
    this.processes = this.processes.filter((each) => each !== process);
    if (this.processes.length === 0) this.start();
    if (this.leader === undefined) this.electOther();
  }

  /** All that runs ends, and the machine starts again. */
  restart(): void {
    for (const process of this.processes) process.alive = false;
    this.processes = [];
    this.start().lead();
  }

  compact(): void {
    const process = this.world.chance.pick(this.processes);
    process.reader.catchUp();
    this.disk.compact(process.machine);
  }

  backUp(): void {
    this.#backup = { disk: this.disk.copy(), writes: [...this.writes] };
  }

  /** False: there is no backup. */
  rollBack(): boolean {
    if (this.#backup === null) return false;
    this.disk = this.#backup.disk.copy();
    this.writes = [...this.#backup.writes];
    this.restart();
    return true;
  }

  #mark = '';

  /** A second root with the same name and disk, that goes on from here: after a start, or in the middle of its work. */
  clone(running: boolean): SimRegion {
    const clone = new SimRegion(this.world, this.hub, this.name, this.#mutant);
    clone.#mark = `clone${this.#started}`;
    clone.disk = this.disk.copy();
    clone.writes = [...this.writes];
    const process = clone.start(running ? this.processes[0] : undefined);
    process.lead();
    return clone;
  }
}
