import type { JournalRecord } from '../../src/disk/journal/machine.ts';
import type { LockMachine, LockOutcome } from '../../src/disk/locks/machine.ts';

/** Records in memory, in the place of a journal: what several tables of one realm share. */
export class MemoryLog {
  readonly #records: JournalRecord[];
  readonly #machine: LockMachine;
  #applied = 0;

  constructor(records: JournalRecord[], machine: LockMachine) {
    this.#records = records;
    this.#machine = machine;
  }

  open(): boolean {
    return true;
  }

  catchUp(): void {
    for (let next = this.#records[this.#applied]; next !== undefined; next = this.#records[this.#applied]) {
      this.#applied++;
      this.#machine.apply(next);
    }
  }

  append(kind: number, session: number, sequence: number, payload: Uint8Array): LockOutcome {
    this.catchUp();
    const record = { kind, session, sequence, payload: payload.slice() };
    this.#records.push(record);
    this.#applied++;
    return this.#machine.apply(record);
  }

  close(): void {
    this.#applied = this.#records.length;
  }
}
