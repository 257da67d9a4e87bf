import type { Alarm, CallId, Fate, Turn } from '../disk/coordinator/owned-records.ts';
import { MapOverlay } from '../disk/map/map-overlay.ts';
import type { MapState } from '../disk/map/map-state.ts';
import { Queue, type Queued } from './queue.ts';

/** Something that must not leave before what it may tell of is settled. */
export interface Output extends Queued<Output> {
  release(): void;
  refuse(error: unknown): void;
}

/** An event as its turns know it. */
export interface Writer {
  /** Null: nobody will ask again, as of an alarm. */
  readonly call: CallId | null;
  /** Whether the journal says that it has begun. */
  begun: boolean;
  /** What it has ended with; null before. */
  fate: Fate | null;
}

/** A Set as well: a loop over lists of one sort leaves no garbage. */
const NOBODY: ReadonlySet<Writer> = new Set();
const NO_IDS: readonly CallId[] = [];

/** Up to which call a caller has all results. */
interface Got {
  readonly caller: number;
  number: number;
}

/**
 * What has happened since the last record: changes that are not written yet, and outputs that wait for them. It keeps
 * these invariants:
 *
 * - what shows in `map` is the journal's state and these changes;
 * - an output leaves after the changes that were made before it, or never.
 */
export class PendingTurn {
  readonly map: MapOverlay;
  #alarm: Alarm | null | undefined;
  #outputs = new Queue<Output>();
  /** Those that wait for what is being written. */
  #departed: Queue<Output> | null = null;
  /** Of what is being written. */
  #inDoubt: ReadonlySet<Writer> | null = null;
  /** Those of them that a turn before has said of that they have begun. */
  #begunBefore: Set<Writer> | null = null;
  /** Null, as what is in doubt: none. Most coordinators in memory rest. */
  #writers: Set<Writer> | null = null;
  /** Of each caller once. */
  #got: Got[] | null = null;

  constructor(below: MapState) {
    this.map = new MapOverlay(below, null);
  }

  /** Whether there is anything to write. */
  get hasChanges(): boolean {
    return this.map.steps.length > 0 || this.#alarm !== undefined || this.#hasCalls();
  }

  #hasCalls(): boolean {
    if (this.#writers !== null) for (const { call } of this.#writers) if (call !== null) return true;
    return false;
  }

  get hasOutputs(): boolean {
    return this.#outputs.size > 0;
  }

  get isEmpty(): boolean {
    return !this.hasChanges && !this.hasOutputs;
  }

  /** Undefined: nobody has changed it. */
  get alarm(): Alarm | null | undefined {
    return this.#alarm;
  }

  set alarm(alarm: Alarm | null | undefined) {
    this.#alarm = alarm;
  }

  /** An event has changed something, or one that has before has ended. */
  note(writer: Writer): void {
    (this.#writers ??= new Set()).add(writer);
  }

  /** Whether something of it is not known to be written. */
  has(writer: Writer): boolean {
    return this.#writers?.has(writer) === true || this.#inDoubt?.has(writer) === true;
  }

  /** Whether it has begun by what is known to be written. */
  hasSurelyBegun(writer: Writer): boolean {
    return writer.begun && (this.#inDoubt?.has(writer) !== true || this.#begunBefore?.has(writer) === true);
  }

  /** The caller has all results up to `number`. */
  got(caller: number, number: number): void {
    if (number === 0) return;
    // A literal takes the room of one, a list that grows that of seventeen.
    if (this.#got === null) return void (this.#got = [{ caller, number }]);
    for (const each of this.#got) if (each.caller === caller) return void (each.number = Math.max(each.number, number));
    this.#got.push({ caller, number });
  }

  output(output: Output): void {
    this.#outputs.add(output);
  }

  /** What is to be written. */
  record(): Turn {
    const begun: CallId[] = [];
    const ended: (CallId & { fate: Fate })[] = [];
    for (const { call, fate } of this.#writers ?? NOBODY) {
      if (call === null) continue;
      if (fate === null) begun.push(call);
      else ended.push({ caller: call.caller, number: call.number, fate });
    }
    return { steps: this.map.steps, alarm: this.#alarm, got: this.#got ?? NO_IDS, begun, ended };
  }

  /** What is there by now leaves together. */
  depart(): void {
    this.#departed = this.#outputs;
    this.#outputs = new Queue();
  }

  /** It is written, or under way: the next one begins. */
  written(): void {
    for (const writer of this.#writers ?? NOBODY) {
      if (writer.begun) (this.#begunBefore ??= new Set()).add(writer);
      writer.begun = true;
    }
    this.#inDoubt = this.#writers;
    this.#writers = null;
    this.#got = null;
    this.#alarm = undefined;
    this.map.reset();
  }

  /** Lets go of what has departed. */
  release(): void {
    const outputs = this.#departed;
    this.#departed = null;
    this.#inDoubt = null;
    this.#begunBefore = null;
    for (let output = outputs?.shift(); output; output = outputs?.shift()) output.release();
  }

  refuse(error: unknown): void {
    const all = [this.#departed, this.#outputs];
    this.#departed = null;
    this.#outputs = new Queue();
    for (const outputs of all) for (let output = outputs?.shift(); output; output = outputs?.shift()) output.refuse(error);
  }
}
