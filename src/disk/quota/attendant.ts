import type { ThreadIdentity, ThreadLife } from '../../runtime/identity.ts';
import { type Timer, clearTimeout, nextTurn, setTimeout, uptime, wallClock } from '../../runtime/timers.ts';
import type { AccountJournal } from './account-journal.ts';
import { encodeBegin, encodeCount, encodeDead, kinds } from './records.ts';
import type { Amounts } from './records.ts';
import { Tally, weighBucket } from './weigh.ts';

export interface AttendantOptions {
  readonly bucket: string;
  readonly detach: <T>(body: () => T) => T;
  /** Tells others what this realm has used and freed. */
  readonly settle: () => void;
  readonly identity: () => ThreadIdentity;
  readonly probe: (identity: ThreadIdentity) => ThreadLife;
}

/** Entries looked at before other work has its turn: about half a millisecond. */
const SLICE = 256;

/** How long a session that nobody can look after must be seen not to change, in milliseconds. */
const SILENT_MS = 30_000;

/** After so long what is there is counted again: whatever has changed it that is not Holdfast, is known then. */
const GOOD_MS = 24 * 60 * 60_000;

/** A counting that was disturbed is repeated when so many times its length has passed, then twice as many … */
const REST = 20;
const LEAST_REST_MS = 1000;
const LONGEST_REST_MS = 10 * 60_000;

const COUNTED_LOOK_MS = 50;

interface Observation {
  readonly bytes: number;
  readonly since: number;
}

/**
 * Looks after an account, in the background: gives back what realms that have ended had reserved, and counts what is
 * there where the account may be wrong. Keeps no process alive.
 */
export class Attendant {
  readonly #journal: AccountJournal;
  readonly #options: AttendantOptions;
  /** Sessions whose life cannot be proven. */
  readonly #observations = new Map<number, Observation>();
  #counting: Promise<void> | null = null;
  #timer: Timer | null = null;
  #rest = LEAST_REST_MS;
  #begun = false;
  #closed = false;

  constructor(journal: AccountJournal, options: AttendantOptions) {
    this.#journal = journal;
    this.#options = options;
  }

  /** Whether it is counting. */
  get isBusy(): boolean {
    return this.#counting !== null;
  }

  /** To be called when the account is first used; a later turn looks whether all is well. */
  begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#later(0);
  }

  /** Looks after those who have ended, and whether to count. Never throws. */
  attend(): void {
    try {
      if (!this.#journal.look()) return;
      this.#examineAll();
      if (this.#isDue && this.#counting === null && this.#timer === null) this.#later(0);
    } catch {
      // Housekeeping: whoever needs the account is told.
    }
  }

  /** Resolves when the account has been counted by anybody. */
  async counted(): Promise<void> {
    while (this.#journal.machine.countedAt === 0) {
      this.#examineAll();
      if (this.#counting !== null) await this.#counting;
      else if (this.#journal.machine.counting === null) await this.recount();
      else await this.#pause(COUNTED_LOOK_MS);
      this.#journal.look();
    }
  }

  /** Counts, now; one at a time in this realm. */
  recount(): Promise<void> {
    this.#counting ??= this.#recount().finally(() => (this.#counting = null));
    return this.#counting;
  }

  /** The same without an account. */
  async weigh(): Promise<Amounts> {
    const tally = new Tally();
    let entries = 0;
    for (const weight of weighBucket(this.#options.bucket)) {
      tally.add(weight);
      if ((entries += 1) % SLICE === 0) await nextTurn();
    }
    return tally.amounts;
  }

  /** Begins nothing any more; resolves when a counting that is under way has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#counting?.catch(() => undefined);
  }

  async #recount(): Promise<void> {
    const start = uptime();
    this.#options.settle();
    this.#journal.append(kinds.begin, encodeBegin(this.#options.identity()));
    const { epoch } = this.#journal.machine;
    const amounts = await this.weigh();
    const { boot } = this.#options.identity();
    this.#options.settle();
    this.#journal.append(kinds.end, encodeCount({ epoch, at: wallClock(), boot, amounts }));
    this.#plan(uptime() - start);
  }

  /** What was disturbed comes to too much; it is repeated when there may be more peace. */
  #plan(took: number): void {
    if (!this.#journal.machine.doubtful) {
      this.#rest = LEAST_REST_MS;
      return;
    }
    this.#later(Math.max(this.#rest, REST * took));
    this.#rest = Math.min(2 * this.#rest, LONGEST_REST_MS);
  }

  get #isDue(): boolean {
    const { machine } = this.#journal;
    if (machine.counting !== null) return false;
    const { boot } = this.#options.identity();
    const isNewBoot = boot !== '' && !machine.boots.includes(boot);
    return machine.doubtful || machine.countedAt === 0 || isNewBoot || Math.abs(wallClock() - machine.countedAt) > GOOD_MS;
  }

  #examineAll(): void {
    const { machine, session } = this.#journal;
    for (const [id, { identity, bytes }] of [...machine.reservations]) {
      if (id !== session && this.#hasEnded(id, identity, bytes)) this.#bury(id);
    }
    const { counting } = machine;
    if (counting === null || counting.session === session) return;
    if (this.#hasEnded(counting.session, counting.identity, -machine.epoch)) this.#bury(counting.session);
  }

  /** Whoever is taken for dead and is not, goes on within what was reserved: that counts as used. */
  #hasEnded(id: number, identity: ThreadIdentity, bytes: number): boolean {
    const life = this.#options.probe(identity);
    if (life !== 'unknown') return life === 'dead';
    const before = this.#observations.get(id);
    if (before?.bytes === bytes) return uptime() - before.since > SILENT_MS;
    this.#observations.set(id, { bytes, since: uptime() });
    return false;
  }

  #bury(id: number): void {
    this.#observations.delete(id);
    this.#journal.append(kinds.dead, encodeDead(id));
  }

  #later(delay: number): void {
    if (this.#closed || this.#timer !== null) return;
    this.#timer = this.#options.detach(() => setTimeout(() => void this.#round(), delay)).unref();
  }

  async #round(): Promise<void> {
    this.#timer = null;
    try {
      this.#journal.sweep();
      if (!this.#journal.look()) return;
      this.#examineAll();
      if (this.#isDue) await this.recount();
    } catch {
      // The next one who looks finds it due again.
    }
  }

  #pause(delay: number): Promise<void> {
    return new Promise((resolve) => void setTimeout(resolve, delay));
  }
}
