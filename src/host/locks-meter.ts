import * as channels from '../runtime/channels.ts';
import type { LockWitness, NamedLock } from '../web-locks/lock-witness.ts';
import type { Counts, Meter } from './meter.ts';

/** Counts and tells what becomes of one origin's Web Locks. */
export class LocksMeter implements LockWitness {
  readonly #meter: Meter;
  readonly #counts: Counts['locks'];

  constructor(meter: Meter) {
    this.#meter = meter;
    this.#counts = meter.counts.locks;
  }

  requested(): void {
    this.#counts.waiting += 1;
  }

  granted(lock: NamedLock, waited: number): void {
    this.#counts.waiting -= 1;
    this.#counts.granted += 1;
    this.#counts.held += 1;
    this.#tell('granted', lock, { waited });
  }

  refused(lock: NamedLock): void {
    this.#counts.waiting -= 1;
    this.#counts.refused += 1;
    this.#tell('refused', lock, {});
  }

  withdrawn(lock: NamedLock, waited: number): void {
    this.#counts.waiting -= 1;
    this.#counts.withdrawn += 1;
    this.#tell('withdrawn', lock, { waited });
  }

  released(lock: NamedLock, held: number): void {
    this.#counts.held -= 1;
    this.#tell('released', lock, { held });
  }

  #tell(event: string, { name, mode }: NamedLock, times: object): void {
    if (channels.locks.hasSubscribers) this.#meter.tell(channels.locks, { kind: 'web', event, name, mode, ...times });
  }
}
