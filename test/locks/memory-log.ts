import type { JournalRecord, Machine, SnapshotRecord } from '../../src/disk/journal/machine.ts';
import type { LockOutcome } from '../../src/disk/locks/machine.ts';

/** Records in memory, in the place of a journal: what several tables of one realm share. */
export class SharedLog {
  /** How many records the snapshot stands for. */
  base = 0;
  snapshot: SnapshotRecord[] = [];
  records: JournalRecord[] = [];
  onAppend: ((record: JournalRecord) => void) | null = null;

  get end(): number {
    return this.base + this.records.length;
  }

  /** Puts a snapshot of a machine that has applied everything in the place of all records. */
  compact(machine: Machine<LockOutcome>): void {
    this.snapshot = Array.from(machine.snapshot(), ({ kind, payload }) => ({ kind, payload: payload.slice() }));
    this.base = this.end;
    this.records = [];
  }
}

/** How many records a log gives to whoever wants some. */
export const SOME = 100;

/** One reader and writer of a shared log. */
export class MemoryLog {
  readonly #log: SharedLog;
  readonly #machine: Machine<LockOutcome>;
  #applied = 0;

  constructor(log: SharedLog, machine: Machine<LockOutcome>) {
    this.#log = log;
    this.#machine = machine;
  }

  open(): boolean {
    return true;
  }

  catchUp(): void {
    if (this.#applied < this.#log.base) this.#restore();
    for (let next = this.#next(); next !== undefined; next = this.#next()) this.#apply(next);
  }

  catchUpSome(): boolean {
    if (this.#applied < this.#log.base) this.#restore();
    for (let left = SOME; left > 0; left--) {
      const next = this.#next();
      if (next === undefined) return false;
      this.#apply(next);
    }
    return true;
  }

  append(kind: number, session: number, sequence: number, payload: Uint8Array): LockOutcome {
    this.catchUp();
    const record = { kind, session, sequence, payload: payload.slice() };
    this.#log.records.push(record);
    this.#log.onAppend?.(record);
    return this.#apply(record);
  }

  close(): void {
    this.#applied = Infinity;
  }

  #next(): JournalRecord | undefined {
    return this.#log.records[this.#applied - this.#log.base];
  }

  #apply(record: JournalRecord): LockOutcome {
    this.#applied++;
    return this.#machine.apply(record);
  }

  #restore(): void {
    this.#machine.reset();
    for (const { kind, payload } of this.#log.snapshot) this.#machine.restore(kind, payload);
    this.#machine.restored(this.#applied > 0);
    this.#applied = this.#log.base;
  }
}
