import type { LockMode } from './lock.ts';

/** A lock by what its request says of it. */
export interface NamedLock {
  readonly name: string;
  readonly mode: LockMode;
}

/** Is told what becomes of requests: for counting, and for whoever watches the program. Times are in milliseconds. */
export interface LockWitness {
  requested(): void;
  granted(lock: NamedLock, waited: number): void;
  /** It was only wanted if it was available. */
  refused(lock: NamedLock): void;
  /** It was aborted, or failed, before it was granted. */
  withdrawn(lock: NamedLock, waited: number): void;
  released(lock: NamedLock, held: number): void;
}
