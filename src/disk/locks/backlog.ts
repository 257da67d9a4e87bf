import type { JournalRecord, Machine, SnapshotRecord } from '../journal/machine.ts';
import type { LockMachine, LockOutcome } from './machine.ts';

/** One part has records of so many bytes in all, and the one that makes them more: some thousand claims, at most. */
const PART_BYTES = 8 * 1024;

/** What a record counts beside its payload. */
const RECORD_BYTES = 16;

interface Step {
  readonly bytes: number;
  readonly take: () => unknown;
}

/**
 * What a lock journal has told of and its machine does not know yet, so that a table of many thousand claims is entered
 * in several turns of the event loop. Invariants:
 * - the machine hears everything, once, in the order in which it was told;
 * - nobody sees the machine, and nothing is told to it at once, while something is kept for later;
 * - what the machine throws, it throws again whenever it is asked for: it is of no use any more.
 */
export class Backlog implements Machine<LockOutcome> {
  readonly #machine: LockMachine;
  #steps: Step[] = [];
  #isPatient = false;
  #failure: { readonly error: unknown } | null = null;

  constructor(machine: LockMachine) {
    this.#machine = machine;
  }

  /** The machine, which knows everything that was told. */
  get machine(): LockMachine {
    this.finish();
    return this.#machine;
  }

  finish(): void {
    if (this.#steps.length > 0) this.#work(Infinity);
    if (this.#failure !== null) throw this.#failure.error;
  }

  /** Tells the machine a part of what is kept; where nothing is, runs `read`, whose news may be. Whether there may be more. */
  inParts(read: () => boolean): boolean {
    if (this.#steps.length > 0) {
      this.#work(PART_BYTES);
      return true;
    }
    this.#isPatient = true;
    try {
      return read() || this.#steps.length > 0;
    } finally {
      this.#isPatient = false;
    }
  }

  #work(bytes: number): void {
    const steps = this.#steps;
    let done = 0;
    let left = bytes;
    try {
      for (const step of steps) {
        if (left <= 0) break;
        done++;
        left -= step.bytes;
        step.take();
      }
    } catch (error) {
      this.#failure = { error };
      done = steps.length;
      throw error;
    } finally {
      this.#steps = steps.slice(done);
    }
  }

  // A record that waits has an outcome that nobody waits for: whoever writes one reads what comes before it at once.

  apply(record: JournalRecord): LockOutcome {
    if (this.#steps.length === 0 || !this.#isPatient) return this.machine.apply(record);
    const { kind, session, sequence } = record;
    const payload = record.payload.slice();
    this.#keep(payload.length, () => this.#machine.apply({ kind, session, sequence, payload }));
    return false;
  }

  /** The machine goes through all that came before, or through nothing of it: it reports what it did not hear of itself. */
  reset(): void {
    if (this.#isPatient) {
      this.#steps = [];
      return this.#keep(0, () => this.#machine.reset());
    }
    if (this.#steps.length > 0) this.#work(Infinity);
    this.#failure = null;
    this.#machine.reset();
  }

  restore(kind: number, payload: Uint8Array): void {
    if (!this.#isPatient) return this.#machine.restore(kind, payload);
    const kept = payload.slice();
    this.#keep(kept.length, () => this.#machine.restore(kind, kept));
  }

  restored(): void {
    if (!this.#isPatient) return this.#machine.restored();
    this.#keep(0, () => this.#machine.restored());
  }

  #keep(payloadBytes: number, take: () => unknown): void {
    this.#steps.push({ bytes: payloadBytes + RECORD_BYTES, take });
  }

  *snapshot(): Iterable<SnapshotRecord> {
    yield* this.machine.snapshot();
  }
}
