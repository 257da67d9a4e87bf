import { onShortage } from '../../runtime/descriptors.ts';
import { Journal, type JournalOptions } from '../journal/journal.ts';
import type { Machine } from '../journal/machine.ts';
import { OpenJournals, type Suspendable } from '../journal/open-journals.ts';
import type { LockLog } from './lock-log.ts';
import type { LockOutcome } from './machine.ts';

/** Lock journals open at once in this realm. What a session holds is in the journal; its descriptor holds nothing. */
const openLogs = new OpenJournals<OpenLog>(32);
onShortage(() => openLogs.suspendWhere(() => true));

/** A lock journal that is open for as long as it is used, or few others are. */
export class OpenLog implements LockLog, Suspendable {
  used = false;
  readonly busy = false;
  readonly #journal: Journal<LockOutcome>;
  #isOpen = false;

  constructor(directory: string, machine: Machine<LockOutcome>, options: JournalOptions) {
    this.#journal = new Journal(directory, machine, options);
  }

  open(): boolean {
    this.used = true;
    if (!this.#journal.open()) return false;
    this.#note();
    return true;
  }

  catchUp(): void {
    this.used = true;
    this.#journal.catchUp();
    this.#note();
  }

  catchUpSome(): boolean {
    this.used = true;
    const isMore = this.#journal.catchUpSome();
    this.#note();
    return isMore;
  }

  append(kind: number, session: number, sequence: number, payload: Uint8Array): LockOutcome {
    this.used = true;
    const outcome = this.#journal.append(kind, session, sequence, payload);
    this.#note();
    return outcome;
  }

  #note(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    openLogs.add(this);
  }

  suspend(): void {
    this.#isOpen = false;
    this.#journal.suspend();
  }

  close(): void {
    openLogs.delete(this);
    this.#isOpen = false;
    this.#journal.close();
  }
}
