import type { JournalEncryption } from '../journal/journal-cipher.ts';
import { Journal } from '../journal/journal.ts';
import type { Locator } from '../locator.ts';
import { LockMachine } from '../locks/machine.ts';
import type { Part } from './part.ts';

const nothing = (): void => {};
const deaf = { settled: nothing, lost: nothing, left: nothing, ended: nothing, webStirred: nothing, changed: nothing, gap: nothing, restored: nothing };

/** The lock table of a bucket, by reading its journal only. */
export class LockView implements Part {
  readonly #machine = new LockMachine(deaf);
  readonly #journal: Journal<unknown>;

  constructor(directory: string, encryption?: JournalEncryption) {
    this.#journal = new Journal(directory, this.#machine, { encryption });
  }

  /** Where the journal is: another place after every record. @throws HoldfastError when it cannot be read */
  position(): string {
    this.#journal.catchUp();
    return `${this.#journal.generation}-${this.#journal.size}`;
  }

  settle(): boolean {
    return true;
  }

  /** The number in the name of the directory of the files. */
  get epoch(): number {
    return this.#machine.epoch;
  }

  /** Whether anybody changes names, or files by them, or waits to. */
  get isBusy(): boolean {
    for (const { claims } of this.#machine.sessions.values()) for (const { type } of claims.values()) if (type === 'operation') return true;
    return this.#machine.expired.size > 0;
  }

  /** The files that somebody may have open to write to them in place. */
  get writtenInPlace(): Locator[] {
    const written: Locator[] = [];
    for (const { claims } of this.#machine.sessions.values()) {
      for (const claim of claims.values()) {
        if (claim.type === 'lock' && (claim.lockClass === 'exclusive' || claim.lockClass === 'readwrite-unsafe')) written.push(claim.locator);
      }
    }
    return written;
  }

  /** The files that anybody has locked, to write to them or a copy of them. */
  get locked(): Locator[] {
    return [...this.#machine.sessions.values()].flatMap(({ claims }) => [...claims.values()].flatMap((claim) => (claim.type === 'lock' ? [claim.locator] : [])));
  }

  close(): void {
    this.#journal.close();
  }
}
