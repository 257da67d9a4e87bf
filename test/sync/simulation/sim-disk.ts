import type { SnapshotRecord } from '../../../src/disk/journal/machine.ts';
import type { JournalRecord } from '../../../src/disk/journal/machine.ts';
import type { MapMachine } from '../../../src/disk/map/map-machine.ts';

/** A journal in memory: a snapshot of all records up to `start`, and the records since. A copy is a clone of the disk. */
export class SimDisk {
  start = 0;
  snapshot: readonly SnapshotRecord[] = [];
  records: JournalRecord[] = [];

  get end(): number {
    return this.start + this.records.length;
  }

  copy(): SimDisk {
    const copy = new SimDisk();
    copy.start = this.start;
    copy.snapshot = this.snapshot;
    copy.records = [...this.records];
    return copy;
  }

  append(record: JournalRecord): void {
    this.records.push(record);
  }

  /** As a compaction of journals: `machine` has applied every record. */
  compact(machine: MapMachine): void {
    this.snapshot = Array.from(machine.snapshot(), ({ kind, payload }) => ({ kind, payload: new Uint8Array(payload) }));
    this.start = this.end;
    this.records = [];
  }
}

/** One process's machine over a disk. */
export class Reader {
  readonly machine: MapMachine;
  readonly #disk: SimDisk;
  #applied = -1;

  constructor(disk: SimDisk, machine: MapMachine) {
    this.#disk = disk;
    this.machine = machine;
  }

  /** Changes whenever the machine may have changed. */
  get applied(): number {
    return this.#applied;
  }

  /** Whether the last record was accepted. */
  catchUp(): boolean {
    if (this.#applied < this.#disk.start) this.#restore();
    let accepted = true;
    for (; this.#applied < this.#disk.end; this.#applied++) {
      const record = this.#disk.records[this.#applied - this.#disk.start];
      if (record !== undefined) accepted = this.machine.apply(record).accepted;
    }
    return accepted;
  }

  #restore(): void {
    this.machine.reset();
    for (const { kind, payload } of this.#disk.snapshot) this.machine.restore(kind, payload);
    this.machine.restored();
    this.#applied = this.#disk.start;
  }
}
