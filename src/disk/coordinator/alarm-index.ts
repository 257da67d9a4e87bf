import path from 'node:path';
import { randomInteger } from '../../runtime/random.ts';
import { ensureDirectory } from '../directories.ts';
import { Journal } from '../journal/journal.ts';
import { leaveHistory } from '../journal/leave-history.ts';
import { syncDirectory } from '../journal/sync-directory.ts';
import type { BucketPlace } from '../place.ts';
import { addJournal } from '../root/late-part.ts';
import type { Root } from '../root/root.ts';
import { alarmKeyOf, readableOf, type VaultOf } from './alarm-keys.ts';
import { AlarmMachine } from './alarm-machine.ts';
import { encodeAlarm, encodeAlarms, FORGET, MOVE, NOTE, NOTES } from './alarm-records.ts';
import type { AlarmKey, AlarmRecord } from './alarm-records.ts';
import { COORDINATORS } from './coordinator-names.ts';
import type { CoordinatorKey } from './coordinator-place.ts';

const NAME = 'alarms';

/** Alarms that are noted in one record with another, and those that may wait for that. */
const AT_ONCE = 256;
const MOST_EXPECTED = 2 ** 14;

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

/** Where the processes of a root that run coordinators listen. */
export function socketsOf(root: Root): string {
  return path.join(sharedPlace(root).path, 's');
}

/**
 * The index of a root's alarms: a journal that is made by the first one. It is of all origins, and nothing encrypts it:
 * coordinators of encrypted ones are named in it as on the disk.
 */
export class AlarmIndex {
  /** Called when an alarm was noted here. */
  onNote: (() => void) | null = null;
  readonly #place: BucketPlace;
  readonly #machine = new AlarmMachine();
  readonly #journal: Journal<void>;
  readonly #isStrict: boolean;
  /** Null: nothing here has a key. */
  readonly #vaultOf: VaultOf | null;
  #session = randomInteger();
  #sequence = 0;
  /** What is about to be noted. */
  #expected: (Omit<AlarmRecord, 'key'> & { readonly key: CoordinatorKey })[] = [];

  /** `vaultOf`: by default the root's own. */
  constructor(root: Root, vaultOf: VaultOf | null = vaultsOf(root), durability = root.durability) {
    this.#vaultOf = vaultOf;
    this.#place = sharedPlace(root);
    this.#isStrict = durability === 'strict';
    this.#journal = new Journal(path.join(this.#place.path, NAME), this.#machine, {
      durability,
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
    return Math.max(...[this.#keyOf(key), key].map((named) => this.#machine.of(named)?.epoch ?? 0));
  }

  #keyOf(key: CoordinatorKey): AlarmKey {
    return this.#vaultOf === null ? key : alarmKeyOf(key, this.#vaultOf(key.origin));
  }

  /** Those whose names can be read here. */
  due(now: number): CoordinatorKey[] {
    return readableOf(Array.from(this.#machine.due(now), ({ key }) => key), this.#vaultOf);
  }

  /** It is about to be noted: the next that is noted takes it along, in one record. */
  expect(key: CoordinatorKey, time: number, epoch: number): void {
    if (this.#expected.length < MOST_EXPECTED) this.#expected.push({ key, time, epoch });
  }

  /** The coordinator is to be looked at no later than then. @throws HoldfastError as a journal's `append` */
  note(key: CoordinatorKey, time: number, epoch: number): void {
    const record = { key: this.#rename(key), time, epoch };
    if (this.#isKnown(record)) return;
    if (!this.#journal.open()) this.#make();
    const records = [record];
    this.#addOthers(records, key);
    this.#note(records);
    this.onNote?.();
  }

  #isKnown({ key, time, epoch }: AlarmRecord): boolean {
    const known = this.#machine.of(key);
    return known !== undefined && known.time <= time && known.epoch >= epoch;
  }

  /** What else is expected: only of the same origin, for each other one may have a key that has to be waited for. */
  #addOthers(records: AlarmRecord[], { origin, className, name }: CoordinatorKey): void {
    // In the order in which they will be noted themselves.
    for (const { key, time, epoch } of this.#expected.splice(0, AT_ONCE)) {
      if (key.origin !== origin || (key.name === name && key.className === className)) continue;
      const record = { key: this.#keyOf(key), time, epoch };
      if (!this.#isKnown(record)) records.push(record);
    }
  }

  #note(records: readonly AlarmRecord[]): void {
    const [first] = records;
    if (records.length === 1 && first !== undefined) this.#append(NOTE, first);
    else this.#appendBytes(NOTES, encodeAlarms(records));
  }

  move(key: CoordinatorKey, time: number, epoch: number): void {
    this.#change(MOVE, key, time, epoch);
  }

  forget(key: CoordinatorKey, epoch: number): void {
    this.#change(FORGET, key, 0, epoch);
  }

  /**
   * Forgets all alarms of an origin that is no more, also those whose names nobody can read any more. To be called while
   * nobody else replaces or deletes origins. @throws HoldfastError as a journal's `append`
   */
  forgetOrigin(origin: string): void {
    this.look();
    for (const record of this.#machine.ofOrigin(origin)) this.#append(FORGET, record);
  }

  #change(kind: number, key: CoordinatorKey, time: number, epoch: number): void {
    const named = this.#rename(key);
    if (this.#machine.of(named) !== undefined) this.#append(kind, { key: named, time, epoch });
  }

  /** What was said of a coordinator before its origin was encrypted goes on under the name that it has now, which is returned. */
  #rename(key: CoordinatorKey): AlarmKey {
    const named = this.#keyOf(key);
    const before = named.isEncrypted === true ? this.#machine.of(key) : undefined;
    if (before !== undefined) {
      this.#append(NOTE, { ...before, key: named });
      this.#append(FORGET, before);
    }
    return named;
  }

  /**
   * Has all coordinators of an origin that is encrypted now called as they are on the disk, and keeps nothing in which they
   * are called as before.
   *
   * @throws HoldfastError as {@link leaveHistory}; as a vault's `require`
   */
  rename(origin: string): void {
    if (!this.#journal.catchUp()) return;
    for (const key of this.#machine.readableOf(origin)) this.#rename(key);
    leaveHistory(this.#journal);
    // Nobody looks for them here again once the origin counts as encrypted: none may come back with a loss of power.
    syncDirectory(this.#journal.directory);
  }

  #append(kind: number, record: AlarmRecord): void {
    this.#appendBytes(kind, encodeAlarm(record));
  }

  #appendBytes(kind: number, payload: Uint8Array): void {
    if (this.#sequence === LAST_SEQUENCE) {
      this.#session = randomInteger();
      this.#sequence = 0;
    }
    this.#sequence += 1;
    this.#journal.append(kind, this.#session, this.#sequence, payload);
  }

  #make(): void {
    addJournal(this.#place, { name: NAME, isStrict: this.#isStrict, snapshot: () => this.#machine.snapshot() });
    this.#journal.catchUp();
  }

  close(): void {
    this.#journal.close();
  }
}

function vaultsOf({ vaults }: Root): VaultOf | null {
  return vaults === undefined ? null : (origin) => vaults.of(origin);
}
