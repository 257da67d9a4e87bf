import path from 'node:path';
import { randomInteger } from '../../runtime/random.ts';
import { ensureDirectory } from '../directories.ts';
import { Journal } from '../journal/journal.ts';
import type { BucketPlace } from '../place.ts';
import { addJournal } from '../root/late-part.ts';
import type { Root } from '../root/root.ts';
import { AlarmMachine } from './alarm-machine.ts';
import { encodeAlarm, FORGET, MOVE, NOTE } from './alarm-records.ts';
import type { AlarmRecord } from './alarm-records.ts';
import { COORDINATORS } from './coordinator-place.ts';
import type { CoordinatorKey } from './coordinator-place.ts';

const NAME = 'alarms';

/** A session has no more records. */
const LAST_SEQUENCE = 2 ** 32 - 1;

/** Where what all coordinators of a root have in common is. */
export function sharedPlace(root: Root): BucketPlace {
  const directory = path.join(root.path, COORDINATORS);
  return {
    path: directory,
    space: root.space,
    ensure: () => {
      root.ensure();
      ensureDirectory(directory);
    },
    lost: () => root.forget(),
  };
}

/** The index of a root's alarms: a journal that is made by the first one. */
export class AlarmIndex {
  /** Called when an alarm was noted here. */
  onNote: (() => void) | null = null;
  readonly #place: BucketPlace;
  readonly #machine = new AlarmMachine();
  readonly #journal: Journal<void>;
  readonly #isStrict: boolean;
  #session = randomInteger();
  #sequence = 0;

  constructor(root: Root) {
    this.#place = sharedPlace(root);
    this.#isStrict = root.durability === 'strict';
    this.#journal = new Journal(path.join(this.#place.path, NAME), this.#machine, {
      durability: root.durability,
      space: root.space,
      vital: (kind) => kind === FORGET,
      onReplaced: () => this.#place.lost?.(),
    });
  }

  /** Reads what others have written. @throws HoldfastError as a journal's `catchUp` */
  look(): void {
    this.#journal.catchUp();
  }

  /** When the first alarm of all is due, as was last read; undefined: there is none. */
  get earliest(): number | undefined {
    return this.#machine.earliest()?.time;
  }

  get size(): number {
    return this.#machine.size;
  }

  /** The latest epoch of a coordinator of which anything was said; 0: of none, as was last read. */
  epochOf(key: CoordinatorKey): number {
    return this.#machine.of(key)?.epoch ?? 0;
  }

  due(now: number): CoordinatorKey[] {
    return Array.from(this.#machine.due(now), ({ key }) => key);
  }

  /** The coordinator is to be looked at no later than then. @throws HoldfastError as a journal's `append` */
  note(key: CoordinatorKey, time: number, epoch: number): void {
    const known = this.#machine.of(key);
    if (known !== undefined && known.time <= time && known.epoch >= epoch) return;
    if (!this.#journal.open()) this.#make();
    this.#append(NOTE, { key, time, epoch });
    this.onNote?.();
  }

  move(key: CoordinatorKey, time: number, epoch: number): void {
    if (this.#machine.of(key) !== undefined) this.#append(MOVE, { key, time, epoch });
  }

  forget(key: CoordinatorKey, epoch: number): void {
    if (this.#machine.of(key) !== undefined) this.#append(FORGET, { key, time: 0, epoch });
  }

  #append(kind: number, record: AlarmRecord): void {
    if (this.#sequence === LAST_SEQUENCE) {
      this.#session = randomInteger();
      this.#sequence = 0;
    }
    this.#sequence += 1;
    this.#journal.append(kind, this.#session, this.#sequence, encodeAlarm(record));
  }

  #make(): void {
    addJournal(this.#place, { name: NAME, isStrict: this.#isStrict, snapshot: () => this.#machine.snapshot() });
    this.#journal.catchUp();
  }

  close(): void {
    this.#journal.close();
  }
}
