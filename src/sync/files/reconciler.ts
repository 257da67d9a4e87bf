import type { Locator } from '../../disk/locator.ts';
import type { FileChange } from '../../disk/locks/lock-table.ts';
import { errorMessage } from '../../runtime/errors.ts';
import { type Timer, clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } from '../../runtime/timers.ts';
import { Apply } from './apply.ts';
import { Capture, SETTLE_MS } from './capture.ts';
import type { Target } from './capture.ts';
import { concernsAll, messageOf } from './failures.ts';
import type { Fetcher } from './fetcher.ts';
import { keyOf, locatorOf } from './locators.ts';
import type { Prepare } from './prepare.ts';
import { Progress, ROOT_KEY } from './progress.ts';
import type { Surroundings } from './surroundings.ts';

/** How soon a place is looked at again at which something is going on, in milliseconds. */
const SOON_MS = SETTLE_MS + 10;

/** How often everything is looked at, in milliseconds: nobody hears of what a process wrote just before it was killed. */
const RESCAN_MS = 300_000;

/** How soon something is tried again that could not be done: a file is locked, the hub is away, the disk is full. */
const LATER_MS = 1000;

export interface ReconcilerOptions {
  readonly prepare: Prepare;
  readonly fetcher: Fetcher;
  /** Runs what it is given outside of the caller's asynchronous context; for timers. */
  detach<T>(body: () => T): T;
}

/**
 * Keeps the disk and the journal in agreement, in the one process that is elected to: what changed on the disk becomes
 * pending, then what the order changed comes to the disk. One pass is under way at a time, over the places that somebody
 * spoke of; the first one looks at everything. It keeps no process alive.
 */
export class Reconciler {
  readonly #surroundings: Surroundings;
  readonly #prepare: Prepare;
  readonly #fetcher: Fetcher;
  readonly #options: Pick<ReconcilerOptions, 'detach'>;
  /** Places to look at, by key, and whether to look below them too. */
  #due = new Map<string, boolean>();
  #all = true;
  readonly #soon = new Set<string>();
  readonly #later = new Set<string>();
  /** Those of `later` below which to look, too. */
  readonly #deep = new Set<string>();
  /** Places of `soon` and `later` where the disk may have what the journal does not know. */
  readonly #uncaptured = new Set<string>();
  /** For those who wait until what was done on the disk is in the journal, and until the disk has what the journal has. */
  readonly #capturing = new Progress();
  readonly #settling = new Progress();
  readonly #alarms = new Map<Set<string>, Timer>();
  #running: Promise<void> | null = null;
  #stopped = true;
  #unsubscribe: (() => void)[] = [];

  constructor(surroundings: Surroundings, { prepare, fetcher, ...options }: ReconcilerOptions) {
    this.#surroundings = surroundings;
    this.#prepare = prepare;
    this.#fetcher = fetcher;
    this.#options = options;
  }

  /** @throws HoldfastError as lock tables and journals do */
  start(): void {
    const { locks, journal } = this.#surroundings;
    this.#stopped = false;
    this.#all = true;
    journal.listen({ touched: (locator) => this.#mark(locator, false), replaced: () => this.#markAll() });
    this.#unsubscribe = [
      locks.subscribe((change) => this.#heard(change), () => this.#markAll()),
      journal.watch(() => this.#quietly(() => journal.state())),
      this.#rescanNowAndThen(),
    ];
    this.#quietly(() => journal.state());
    this.#kick();
  }

  #rescanNowAndThen(): () => void {
    const timer = this.#options.detach(() => setInterval(() => this.#markAll(), RESCAN_MS).unref());
    return () => clearInterval(timer);
  }

  /** Resolves when nothing of it goes on. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    this.#surroundings.journal.listen(null);
    for (const alarm of this.#alarms.values()) clearTimeout(alarm);
    this.#alarms.clear();
    await this.#running;
    // The next start looks at everything.
    for (const list of [this.#soon, this.#later, this.#uncaptured, this.#deep]) list.clear();
    this.#capturing.releaseAll();
    this.#settling.releaseAll();
  }

  /** Places at which the disk has, or may have, changes that are not pending yet. */
  get uncaptured(): number {
    return this.#uncaptured.size + this.#due.size + (this.#all ? 1 : 0);
  }

  /** Resolves when everything that had changed on the disk by now is pending, confirmed or void; or when it is stopped. */
  async captured(): Promise<void> {
    this.#surroundings.locks.epoch(); // hears of every operation that has ended
    if (this.#stopped) return;
    await this.#capturing.reached([...this.#uncaptured, ...this.#dueKeys()]);
  }

  /**
   * Resolves when everything that there is to do by now has been done, also what had to be tried again; or when it is
   * stopped.
   */
  async settled(): Promise<void> {
    this.#surroundings.locks.epoch();
    this.#quietly(() => this.#surroundings.journal.state());
    if (this.#stopped) return;
    await this.#settling.reached([...this.#soon, ...this.#later, ...this.#dueKeys()]);
  }

  #dueKeys(): string[] {
    return this.#all ? [ROOT_KEY, ...this.#due.keys()] : [...this.#due.keys()];
  }

  /** What somebody did, be it this reconciler itself. */
  #heard({ operation, kind, source, target }: FileChange): void {
    if (operation === 'empty') return this.#markAll();
    const isTree = kind === 'directory' && operation !== 'create';
    this.#mark(source, isTree);
    if (target !== undefined) this.#mark(target, isTree);
  }

  #mark(locator: Locator, deep: boolean): void {
    const key = keyOf(locator);
    this.#due.set(key, deep || this.#due.get(key) === true);
    this.#kick();
  }

  #markAll(): void {
    this.#all = true;
    this.#kick();
  }

  /** In a later turn: whoever speaks of one place often speaks of more. */
  #kick(): void {
    if (this.#stopped || this.#running !== null) return;
    this.#running = this.#options.detach(async () => {
      await new Promise<void>((resolve) => setImmediate(resolve));
      await this.#work();
    });
  }

  async #work(): Promise<void> {
    while (!this.#stopped && (this.#all || this.#due.size > 0)) {
      const keys = this.#dueKeys();
      const all = this.#all;
      const due = this.#due;
      this.#all = false;
      this.#due = new Map();
      for (const key of keys) this.#forget(key);
      for (const progress of [this.#capturing, this.#settling]) progress.begin(keys);
      await this.#attempt(due, all);
      for (const progress of [this.#capturing, this.#settling]) progress.end();
    }
    this.#running = null;
  }

  async #attempt(due: ReadonlyMap<string, boolean>, all: boolean): Promise<void> {
    try {
      await this.#pass(due, all);
    } catch (error) {
      if (this.#stopped) return; // it was cut off, and the next start looks at everything
      this.#surroundings.report(errorMessage(error));
      for (const [key, deep] of due) if (deep) this.#deep.add(key);
      this.#postpone(this.#later, all ? [ROOT_KEY] : due.keys(), true);
    }
  }

  /** It is looked at now, however long it was to wait. */
  #forget(key: string): void {
    for (const list of [this.#soon, this.#later, this.#uncaptured]) list.delete(key);
  }

  async #pass(due: ReadonlyMap<string, boolean>, all: boolean): Promise<void> {
    const { journal } = this.#surroundings;
    if (!journal.state().replica.active) return this.#postpone(this.#later, all ? [ROOT_KEY] : due.keys(), true);
    const targets = Array.from(due, ([key, deep]): Target => ({ locator: locatorOf(key), deep }));
    const captured = await new Capture(this.#surroundings).run(all ? [{ locator: [], deep: true }, ...targets] : targets);
    this.#postpone(this.#soon, captured.unsettled.map(keyOf), true);
    this.#postpone(this.#later, captured.busy.map(keyOf), true);
    if (this.#stopped) return;
    const { later, changed } = await new Apply(this.#surroundings, this.#prepare).run(this.#toApply(captured.places, all));
    this.#postpone(this.#later, later.map(keyOf), false);
    this.#postpone(this.#soon, changed.map(keyOf), true);
    if (this.#surroundings.eager) await this.#fetchStubs(captured.stubs);
  }

  /** Those of a time when content was not wanted at once, or could not be had. */
  async #fetchStubs(stubs: readonly Locator[]): Promise<void> {
    for (const locator of stubs) {
      if (this.#stopped) return;
      try {
        await this.#fetcher.fetch(locator);
      } catch (error) {
        if (concernsAll(error)) throw error;
        this.#surroundings.report(messageOf(error, locator));
      }
    }
  }

  #toApply(places: readonly Locator[], all: boolean): Iterable<Locator> {
    if (!all) return places;
    const keys = new Set(places.map(keyOf));
    for (const place of this.#surroundings.journal.known.view.places()) keys.add(keyOf(place));
    return Array.from(keys, locatorOf);
  }

  /** The empty key is the root's: everything. */
  #postpone(list: Set<string>, places: Iterable<string>, isUncaptured: boolean): void {
    const keys = [...places];
    this.#settling.putOff(keys);
    if (isUncaptured) this.#capturing.putOff(keys);
    for (const key of keys) {
      list.add(key);
      if (isUncaptured) this.#uncaptured.add(key);
    }
    if (list.size === 0 || this.#stopped || this.#alarms.has(list)) return;
    const ring = (): void => this.#resume(list);
    const alarm = this.#options.detach(() => setTimeout(ring, list === this.#soon ? SOON_MS : LATER_MS));
    this.#alarms.set(list, alarm.unref());
  }

  #resume(list: Set<string>): void {
    this.#alarms.delete(list);
    for (const key of list) {
      if (key === ROOT_KEY) this.#all = true;
      else this.#due.set(key, this.#deep.delete(key) || this.#due.get(key) === true);
      this.#uncaptured.delete(key);
    }
    list.clear();
    this.#kick();
  }

  /** Whoever appends next meets the same error, and has somebody to tell. */
  #quietly(body: () => unknown): void {
    try {
      body();
    } catch (error) {
      this.#surroundings.report(errorMessage(error));
    }
  }
}
