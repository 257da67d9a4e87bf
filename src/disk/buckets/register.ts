import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { type Timer, clearTimeout, setImmediate, setTimeout, wallClock } from '../../runtime/timers.ts';
import { DirectoryWatch } from '../journal/directory-watch.ts';
import type { BucketPlace } from '../place.ts';
import type { Root } from '../root/root.ts';
import { BucketDirectories } from './directories.ts';
import { MOST_BUCKETS, type RegisterOutcome } from './machine.ts';
import { namedBucketsOf } from './named-directory.ts';
import { isExpired, type BucketEntry, type BucketPolicies } from './policies.ts';
import { encodeExpire, encodeIds, encodeOne, encodeOpening, encodeTick, kinds } from './records.ts';
import { RegisterJournal, type RegisterJournalOptions } from './register-journal.ts';

export interface BucketRegisterOptions extends RegisterJournalOptions {
  /** Runs what it is given outside of the caller's asynchronous context; for timers. */
  readonly detach?: <T>(body: () => T) => T;
}

/** There are {@link MOST_BUCKETS} already. */
export class TooManyBucketsError extends Error {
  constructor() {
    super(`there are ${MOST_BUCKETS} buckets already`);
    this.name = 'TooManyBucketsError';
  }
}

/** The longest that a timer waits, in milliseconds; it looks again then, and goes on waiting. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

/** Attempts at opening a bucket that others delete each time. */
const ATTEMPTS = 64;

/**
 * The named buckets of an origin, for one realm. Invariants:
 * - the journal is the truth: a bucket is there from its record on until the record that removes it, for everybody;
 * - a bucket's directory is whole before its record, and is never made again; so nobody can bring back what was removed;
 * - who removes a bucket also frees its space; where it was killed, the next realm that looks does;
 * - a realm that has looked removes what expires while it lives, also where nobody asks for anything. It keeps no process
 *   alive for that.
 *
 * All methods throw HoldfastError when the register cannot be read, or written.
 */
export class BucketRegister {
  readonly #journal: RegisterJournal;
  readonly #directories: BucketDirectories;
  readonly #home: BucketPlace;
  readonly #detach: <T>(body: () => T) => T;
  /** What to call when a bucket is no more, by its id. */
  readonly #watched = new Map<string, () => void>();
  /** What this realm is removing, by its id. */
  readonly #clearing = new Map<string, Promise<void>>();
  #watch: DirectoryWatch | null = null;
  readonly #looksToo: boolean;
  /** What of the machine's removals those who watch were told. */
  #told = 0;
  #swept = false;
  /** Goes off when the next bucket is expired, as far as the machine knew at these changes. */
  #alarm: Timer | null = null;
  #alarmOf = 0;
  #closed = false;

  /** Does no I/O. `home`: the origin's default bucket. */
  constructor(root: Root, home: BucketPlace, { detach = (body) => body(), ...options }: BucketRegisterOptions = {}) {
    this.#home = home;
    this.#detach = detach;
    this.#looksToo = options.shared !== undefined;
    this.#journal = new RegisterJournal(home, options);
    this.#directories = new BucketDirectories(root, namedBucketsOf(home.path), home.encryption);
  }

  pathOf(id: string): string {
    return this.#directories.pathOf(id);
  }

  /** The names of those that are there, in their order. */
  names(): string[] {
    const now = wallClock();
    if (!this.#look()) return [];
    this.#pass(now);
    return this.#journal.machine.entries.filter((entry) => !isExpired(entry, now)).map(({ name }) => name).sort();
  }

  /**
   * The bucket of that name; made if there is none. One that is there keeps its durability and its quota.
   *
   * @throws TooManyBucketsError
   */
  open(name: string, policies: BucketPolicies): BucketEntry {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const known = this.#asItIs(name, policies);
      if (known !== undefined) return known;
      const { entry, isFull } = this.#record(name, policies);
      if (isFull) throw new TooManyBucketsError();
      if (entry !== null) return entry;
    }
    throw new HoldfastError('disk-failed', `The bucket '${name}' was deleted whenever it was opened.`);
  }

  /** One that is there, and of which nothing is to be changed: opening it leaves no trace. */
  #asItIs(name: string, { persisted, expires }: BucketPolicies): BucketEntry | undefined {
    const entry = this.#look() ? this.#journal.machine.named(name) : undefined;
    if (entry === undefined || isExpired(entry, wallClock()) || !this.#directories.has(entry.id)) return undefined;
    const isToChange = (persisted && !entry.persisted) || (expires !== null && expires !== entry.expires);
    return isToChange ? undefined : entry;
  }

  #record(name: string, policies: BucketPolicies): RegisterOutcome {
    this.#home.ensure();
    this.#journal.ensure();
    const now = wallClock();
    const known = this.#journal.machine.named(name);
    const missing = known === undefined || this.#directories.has(known.id) ? '' : known.id;
    const isThere = known !== undefined && missing === '' && !isExpired(known, now);
    const id = isThere ? '' : this.#directories.make();
    const outcome = this.#append(kinds.open, encodeOpening({ now, name, policies, id, missing }), id);
    if (id !== '' && outcome.entry?.id !== id) this.#clear([id]);
    return outcome;
  }

  /** No bucket has this name any more; none may have had it. */
  delete(name: string): void {
    if (!this.#look() || this.#journal.machine.named(name) === undefined) return;
    this.#append(kinds.delete, encodeOne(wallClock(), name));
  }

  /** Whether it is there. */
  persist(id: string): boolean {
    if (this.find(id) === undefined) return false;
    return this.#append(kinds.persist, encodeOne(wallClock(), id)).entry !== null;
  }

  /** The same. `expires`: in milliseconds since 1970. */
  expire(id: string, expires: number): boolean {
    if (this.find(id) === undefined) return false;
    return this.#append(kinds.expire, encodeExpire(wallClock(), id, expires)).entry !== null;
  }

  /** What holds for a bucket by now; undefined once it is no more. Costs a read of one byte where there is no news. */
  find(id: string): BucketEntry | undefined {
    const entry = this.#look() ? this.#journal.machine.get(id) : undefined;
    const now = wallClock();
    if (entry === undefined || !isExpired(entry, now)) return entry;
    this.#pass(now);
    return undefined;
  }

  /** Calls `onGone` soon after a bucket is no more, also where nobody uses it. @returns what ends that */
  watch(id: string, onGone: () => void): () => void {
    this.#watched.set(id, onGone);
    this.#watch ??= this.#startWatch();
    return () => {
      this.#watched.delete(id);
      if (this.#watched.size === 0) this.#rest();
    };
  }

  /** For good; resolves when the space of what this realm has removed is freed. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#alarm !== null) clearTimeout(this.#alarm);
    this.#watched.clear();
    this.#rest();
    await Promise.all(this.#clearing.values());
    this.#journal.close();
  }

  #rest(): void {
    this.#watch?.close();
    this.#watch = null;
    this.#journal.suspend();
  }

  /** Null: nobody is told until somebody asks for something. */
  #startWatch(): DirectoryWatch | null {
    const onReplaced = (): void => this.#journal.distrust();
    try {
      return this.#detach(() => new DirectoryWatch(this.#journal.directory, () => this.#lookQuietly(), { looksToo: this.#looksToo, onReplaced }));
    } catch {
      return null;
    }
  }

  /** Nobody asked: whoever asks next is told what fails. */
  #lookQuietly(): void {
    try {
      if (!this.#closed) this.#look();
    } catch {
      return;
    }
  }

  #look(): boolean {
    const isThere = this.#journal.look();
    this.#tell(isThere);
    if (isThere && !this.#swept) this.#sweepLater();
    if (isThere) this.#expectNext();
    return isThere;
  }

  /** Also what other realms have opened or changed, once this one looks. */
  #expectNext(): void {
    const { machine } = this.#journal;
    if (this.#closed || this.#alarmOf === machine.changes) return;
    this.#alarmOf = machine.changes;
    if (this.#alarm !== null) clearTimeout(this.#alarm);
    const next = machine.entries.reduce((first, { expires }) => Math.min(first, expires ?? Infinity), Infinity);
    this.#alarm = next === Infinity ? null : this.#wakeAt(next);
  }

  #wakeAt(time: number): Timer {
    const wait = Math.min(LONGEST_WAIT_MS, Math.max(0, Math.ceil(time - wallClock())));
    return this.#detach(() => setTimeout(() => this.#expire(), wait)).unref();
  }

  /** Nobody asked: what fails now, whoever asks for a bucket next tries again. */
  #expire(): void {
    this.#alarm = null;
    this.#alarmOf = 0;
    try {
      if (this.#closed || !this.#journal.look()) return;
      this.#pass(wallClock());
      this.#tell(true);
      this.#expectNext();
    } catch {
      return;
    }
  }

  /** Removes what is expired; where that cannot be written it stays so, and is gone for everybody all the same. */
  #pass(now: number): void {
    if (!this.#journal.machine.entries.some((entry) => isExpired(entry, now))) return;
    try {
      this.#append(kinds.tick, encodeTick(now));
    } catch {
      return;
    }
  }

  /** `made`: a directory that nobody needs where the record was refused. */
  #append(kind: number, payload: Uint8Array, made = ''): RegisterOutcome {
    try {
      const outcome = this.#journal.append(kind, payload);
      if (outcome.removed.length > 0) this.#clear(outcome.removed);
      this.#tell(true);
      this.#expectNext();
      return outcome;
    } catch (error) {
      // Anything else may mean that it is there all the same.
      if (made !== '' && error instanceof HoldfastError && ['disk-full', 'root-read-only'].includes(error.code)) this.#clear([made]);
      throw error;
    }
  }

  #tell(isThere: boolean): void {
    const { machine } = this.#journal;
    if (isThere && machine.removals === this.#told) return;
    this.#told = machine.removals;
    for (const [id, onGone] of [...this.#watched]) {
      if (isThere && machine.get(id) !== undefined) continue;
      this.#watched.delete(id);
      onGone();
    }
  }

  /** Frees the space in the background; what fails stays doomed, and is tried again by the next realm. */
  #clear(ids: readonly string[]): void {
    const clearing = this.#detach(() => this.#remove(ids)).catch(() => undefined);
    for (const id of ids) this.#clearing.set(id, clearing);
    void clearing.then(() => ids.forEach((id) => this.#clearing.delete(id)));
  }

  async #remove(ids: readonly string[]): Promise<void> {
    for (const id of ids) await this.#directories.remove(id);
    const doomed = new Set(this.#journal.look() ? this.#journal.machine.doomed : []);
    const cleared = ids.filter((id) => doomed.has(id));
    if (cleared.length > 0) this.#journal.append(kinds.cleared, encodeIds(cleared));
  }

  /** What killed realms have left; once. */
  #sweepLater(): void {
    this.#swept = true;
    this.#detach(() => setImmediate(() => this.#sweep()).unref());
  }

  #sweep(): void {
    try {
      if (this.#closed || !this.#journal.look()) return;
      const { machine } = this.#journal;
      const doomed = new Set(machine.doomed);
      const isKnown = (id: string): boolean => doomed.has(id) || machine.get(id) !== undefined;
      const left = [...doomed, ...this.#directories.abandoned(isKnown)].filter((id) => !this.#clearing.has(id));
      if (left.length > 0) this.#clear(left);
    } catch {
      // Housekeeping: the next realm tries again.
    }
  }
}
