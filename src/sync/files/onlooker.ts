import type { Locator } from '../../disk/locator.ts';
import { TreeError } from '../../disk/tree/tree-error.ts';
import { nextTurn, setTimeout } from '../../runtime/timers.ts';
import type { Applied } from './applied.ts';
import { isSameState } from './apply.ts';
import { isBeyondDisk, isLegalLocator } from './locators.ts';
import type { Surroundings } from './surroundings.ts';

/** How often a process looks at what another one has done, in milliseconds. */
const LOOK_MS = 50;

/** Places looked at before other work has its turn. */
const SLICE = 256;

/** A place at which something is to be done, and what its being done would change. */
interface Open {
  readonly locator: Locator;
  readonly before: Applied | undefined;
}

/**
 * Waits until the process that keeps the disk and the journal in agreement has done what there is to do by now: for the
 * others, which it tells of nothing, but which see both. Waits for ever while there is no such process.
 */
export class Onlooker {
  readonly #surroundings: Pick<Surroundings, 'journal' | 'tree' | 'place'>;

  constructor(surroundings: Pick<Surroundings, 'journal' | 'tree' | 'place'>) {
    this.#surroundings = surroundings;
  }

  /** Resolves when all that the disk has by now is in the journal. @throws HoldfastError as journals do */
  captured(): Promise<void> {
    return this.#until(this.#placesOnDisk(), (locator) => this.#isKnown(locator));
  }

  /** Resolves when the disk has all that the journal has by now. @throws HoldfastError as journals do */
  settled(): Promise<void> {
    return this.#until(this.#placesInJournal(), (locator) => this.#isApplied(locator));
  }

  async #until(places: Iterable<Locator>, isDone: (locator: Locator) => boolean): Promise<void> {
    let open: Open[] = [];
    let looked = 0;
    for (const locator of places) {
      if (!isDone(locator)) open.push({ locator, before: this.#applied(locator) });
      if ((looked += 1) % SLICE === 0) await nextTurn();
    }
    while (open.length > 0) {
      await new Promise<void>((resolve) => setTimeout(resolve, LOOK_MS).unref());
      this.#surroundings.journal.state();
      // Another state than before: it was dealt with, and there is something new.
      open = open.filter(({ locator, before }) => !isDone(locator) && isSame(this.#applied(locator), before));
    }
  }

  /** What is there, and what was. */
  *#placesOnDisk(): Generator<Locator> {
    yield* this.#below([]);
    for (const [locator] of this.#surroundings.journal.state().applied.below([])) yield locator;
  }

  *#below(directory: Locator): Generator<Locator> {
    for (const [name, kind] of this.#entries(directory)) {
      const locator = [...directory, name];
      if (!isLegalLocator(locator)) continue;
      yield locator;
      if (kind === 'directory') yield* this.#below(locator);
    }
  }

  /** None where the directory is gone by now. */
  #entries(directory: Locator): ReturnType<Surroundings['tree']['entries']> {
    try {
      return this.#surroundings.tree.entries(directory);
    } catch (error) {
      if (!(error instanceof TreeError)) throw error;
      return [].values();
    }
  }

  *#placesInJournal(): Generator<Locator> {
    const { view, applied } = this.#surroundings.journal.state();
    yield* view.places();
    for (const [locator] of applied.below([])) yield locator;
  }

  #isKnown(locator: Locator): boolean {
    const applied = this.#applied(locator);
    try {
      const look = this.#surroundings.tree.look(locator);
      if (look?.kind !== 'file') return applied?.kind === look?.kind;
      return applied?.kind === 'file' && applied.fingerprint === look.fingerprint;
    } catch (error) {
      // What is no entry of ours is not synced.
      if (error instanceof TreeError) return true;
      throw error;
    }
  }

  #isApplied(locator: Locator): boolean {
    const { applied, view } = this.#surroundings.journal.known;
    return isSameState(applied.get(locator), view.get(locator)) || isBeyondDisk(locator, this.#surroundings.place.path);
  }

  #applied(locator: Locator): Applied | undefined {
    return this.#surroundings.journal.known.applied.get(locator);
  }
}

function isSame(a: Applied | undefined, b: Applied | undefined): boolean {
  if (a?.kind !== 'file' || b?.kind !== 'file') return a?.kind === b?.kind;
  return a.fingerprint === b.fingerprint && a.version.session === b.version.session && a.version.sequence === b.version.sequence;
}
