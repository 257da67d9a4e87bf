import type { WebLockMode, WebLockParty } from '../../locks/lock-table.ts';
import type { LockTable } from '../../locks/table.ts';
import type { Surroundings } from './losable.ts';
import { Turn, type TurnEnds } from './turn.ts';

/** A lock table as the parts of the databases' locks use it: one client, the realm. */
export class LockClient implements Surroundings {
  readonly #table: LockTable;
  readonly #detach: <T>(body: () => T) => T;

  constructor(table: LockTable, detach: <T>(body: () => T) => T) {
    this.#table = table;
    this.#detach = detach;
  }

  /** This realm's own name in the journal, for as long as it uses the table. */
  get id(): string {
    return this.#table.folder;
  }

  /** @throws HoldfastError when the disk refuses the record. */
  request(name: string, mode: WebLockMode, ends?: TurnEnds, clientId = this.id): Turn {
    return new Turn(name, this.#table.request({ name, mode, clientId, ifAvailable: false, steal: false }), this, ends);
  }

  isWantedElsewhere(name: string, mode: WebLockMode): boolean {
    return this.#table.isWantedElsewhere(name, mode);
  }

  isAwaited(name: string): boolean {
    return this.#table.parties(name).pending.length > 0;
  }

  parties(name: string): { held: WebLockParty[]; pending: WebLockParty[] } {
    return this.#table.parties(name);
  }

  /** The names of all locks that realms who live have, or wait for. */
  names(): string[] {
    const { held, pending } = this.#table.query();
    return [...held, ...pending].map(({ name }) => name);
  }

  /** Whether the realm that claims under this name has ended; then all that it held is gone. */
  isDead(id: string): boolean {
    return this.#table.isDead(id);
  }

  /** Calls `listener` soon after others have done something to the lock: once, however much that was. */
  watch(name: string, listener: () => void): () => void {
    let isDue = false;
    let isOver = false;
    const run = (): void => {
      isDue = false;
      if (!isOver) listener();
    };
    const stop = this.#table.watch(name, () => {
      if (!isDue) this.later(run);
      isDue = true;
    });
    return () => {
      isOver = true;
      stop();
    };
  }

  ring(name: string): void {
    this.#table.ring(name);
  }

  look(): void {
    // Of a name that nobody claims: only the news matter.
    this.#table.isWantedElsewhere('', 'exclusive');
  }

  later(body: () => void): void {
    this.#detach(() => void Promise.resolve().then(body));
  }
}
