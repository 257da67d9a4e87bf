/** The disk of a simulated world: journals of coordinators that all processes share, and the index of their alarms. */
import { AlarmMachine } from '../../../src/disk/coordinator/alarm-machine.ts';
import { encodeAlarm, FORGET, MOVE, NOTE } from '../../../src/disk/coordinator/alarm-records.ts';
import type { CoordinatorKey } from '../../../src/disk/coordinator/coordinator-place.ts';
import { UnsettledError } from '../../../src/disk/coordinator/owned-journal.ts';
import type { Settlement } from '../../../src/disk/coordinator/owned-journal.ts';
import { OwnedMachine } from '../../../src/disk/coordinator/owned-machine.ts';
import { encodeOwn, encodeTurn, LEAVE, OWN, TURN } from '../../../src/disk/coordinator/owned-records.ts';
import type { Owner, Turn } from '../../../src/disk/coordinator/owned-records.ts';
import type { AlarmList } from '../../../src/coordinator/alarm-keeper.ts';
import type { AlarmBook, Store } from '../../../src/coordinator/store.ts';
import { randomInteger } from './random.ts';

interface JournalLine {
  readonly kind: number;
  readonly session: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** What may befall whoever writes a turn. */
export type Mishap = 'none' | 'full' | 'doubt, written' | 'doubt, not written' | 'killed before' | 'killed after';

export class Disk {
  readonly journals = new Map<string, JournalLine[]>();
  readonly alarms = new AlarmMachine();

  linesOf({ origin, className, name }: CoordinatorKey): JournalLine[] {
    const id = `${origin} ${className} ${name}`;
    const lines = this.journals.get(id) ?? [];
    this.journals.set(id, lines);
    return lines;
  }
}

/** The journal of one coordinator, as one process has it; see OwnedJournal, whose promises it keeps. */
export class SimStore implements Store {
  readonly #lines: JournalLine[];
  readonly #mishap: () => Mishap;
  readonly #kill: () => void;
  #machine = new OwnedMachine();
  #read = 0;
  #seen = 0;
  #session = 0;
  #sequence = 0;
  #isDead = false;

  constructor(lines: JournalLine[], mishap: () => Mishap, kill: () => void) {
    this.#lines = lines;
    this.#mishap = mishap;
    this.#kill = kill;
    this.#machine.map.quota = Infinity;
  }

  get map(): OwnedMachine['map'] {
    return this.#machine.map;
  }

  get ledger(): OwnedMachine['ledger'] {
    return this.#machine.ledger;
  }

  get alarm(): OwnedMachine['alarm'] {
    return this.#machine.alarm;
  }

  get epoch(): number {
    return this.#machine.epoch;
  }

  get stamp(): number {
    return this.epoch;
  }

  #catchUp(): boolean {
    let hadEffect = false;
    for (; this.#read < this.#lines.length; this.#read++) hadEffect = this.#machine.apply(this.#lines[this.#read] as JournalLine);
    return hadEffect;
  }

  #append(kind: number, payload: Uint8Array): boolean {
    this.#sequence += 1;
    if (!this.#isDead) this.#lines.push({ kind, session: this.#session, sequence: this.#sequence, payload: Uint8Array.from(payload) });
    return this.#catchUp() && !this.#isDead;
  }

  /** As after a compaction. */
  restart(): void {
    const machine = new OwnedMachine();
    machine.map.quota = Infinity;
    this.#catchUp();
    for (const { kind, payload } of this.#machine.snapshot()) machine.restore(kind, Uint8Array.from(payload));
    this.#machine = machine;
  }

  look(): Owner | null {
    this.#catchUp();
    this.#seen = this.epoch;
    return this.#machine.owner;
  }

  claim(address: string): boolean {
    this.#session = randomInteger();
    this.#sequence = 0;
    return this.#append(OWN, encodeOwn(this.#seen, address));
  }

  settle(turn: Turn): Settlement {
    const mishap = this.#mishap();
    if (mishap === 'killed before') this.#die();
    if (mishap === 'full') throw new UnsettledError(true, new Error('full'));
    if (mishap === 'doubt, not written') throw new UnsettledError(false, new Error('in doubt'));
    const hadEffect = this.#append(TURN, encodeTurn(turn));
    if (mishap === 'doubt, written') throw new UnsettledError(false, new Error('in doubt'));
    if (mishap === 'killed after') this.#die();
    return hadEffect ? 'settled' : 'deposed';
  }

  #die(): void {
    this.#isDead = true;
    this.#kill();
  }

  check(): boolean {
    this.#catchUp();
    return this.#machine.owner?.session === this.#session;
  }

  leave(): void {
    if (this.check()) this.#append(LEAVE, new Uint8Array(0));
  }

  close(): void {
    // Nothing is kept open.
  }
}

/** The index of alarms, as one process has it; see AlarmIndex. */
export class SimAlarms implements AlarmBook, AlarmList {
  onNote: (() => void) | null = null;
  readonly #machine: AlarmMachine;
  readonly #isDead: () => boolean;

  constructor({ alarms }: Disk, isDead: () => boolean) {
    this.#machine = alarms;
    this.#isDead = isDead;
  }

  get earliest(): number | undefined {
    return this.#machine.earliest()?.time;
  }

  look(): void {
    // All see the same.
  }

  due(now: number): CoordinatorKey[] {
    return Array.from(this.#machine.due(now), ({ key }) => key);
  }

  /** It is not known for that. */
  expect(): void {
    // Nothing is written.
  }

  note(key: CoordinatorKey, time: number, epoch: number): void {
    const known = this.#machine.of(key);
    if (known !== undefined && known.time <= time && known.epoch >= epoch) return;
    this.#append(NOTE, key, time, epoch);
    this.onNote?.();
  }

  move(key: CoordinatorKey, time: number, epoch: number): void {
    if (this.#machine.of(key) !== undefined) this.#append(MOVE, key, time, epoch);
  }

  forget(key: CoordinatorKey, epoch: number): void {
    if (this.#machine.of(key) !== undefined) this.#append(FORGET, key, 0, epoch);
  }

  #append(kind: number, key: CoordinatorKey, time: number, epoch: number): void {
    if (!this.#isDead()) this.#machine.apply({ kind, session: 1, sequence: 1, payload: Uint8Array.from(encodeAlarm({ key, time, epoch })) });
  }
}
