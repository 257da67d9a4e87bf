import type { Locator } from '../../disk/locator.ts';
import type { Intent, OperationResult } from '../../disk/locks/lock-table.ts';
import { LockedError } from '../../disk/locks/lock-table.ts';
import { isSameOperation } from '../../disk/replica/operation.ts';
import { TreeError } from '../../disk/tree/tree-error.ts';
import type { TreeErrorCode } from '../../disk/tree/tree-error.ts';
import { nextTurn } from '../../runtime/timers.ts';
import { APPLIED_DIRECTORY } from './applied.ts';
import type { Applied, AppliedFile } from './applied.ts';
import { deepestFirst } from './capture.ts';
import { concernsAll, messageOf } from './failures.ts';
import { fillAsWanted } from './fill.ts';
import { isBeyondDisk, keyOf } from './locators.ts';
import type { Prepare } from './prepare.ts';
import type { Surroundings } from './surroundings.ts';
import type { FileEntry, TableEntry } from './table.ts';

/** What became of one place. `changed`: the disk has something that is not known yet; it must be captured first. */
type Outcome = 'done' | 'later' | 'changed';

/** Parts of paths that are walked along before other work has its turn; some milliseconds. */
const SLICE = 2 ** 19;

/** What the disk has there is another than is known. */
const IN_THE_WAY: ReadonlySet<TreeErrorCode> = new Set(['not-found', 'type-mismatch', 'exists']);

export interface AppliedAll {
  /** Locked, or not to be had now. */
  readonly later: readonly Locator[];
  /** To be captured before anything is applied there. */
  readonly changed: readonly Locator[];
}

/** Brings the disk to what it should be, as long as it is what it is known to be. */
export class Apply {
  readonly #surroundings: Surroundings;
  readonly #prepare: Prepare;
  /** Places that this disk cannot have, by key, and what is below them. */
  readonly #refused = new Set<string>();
  readonly #later: Locator[] = [];
  readonly #changed: Locator[] = [];

  constructor(surroundings: Surroundings, prepare: Prepare) {
    this.#surroundings = surroundings;
    this.#prepare = prepare;
  }

  /** @throws HoldfastError as hubs and journals do; what was not applied then is for the next one */
  async run(places: Iterable<Locator>): Promise<AppliedAll> {
    const differing = await this.#differing(places);
    const deep = deepestFirst(differing);
    const shallow = [...deep].reverse();
    // Before anything goes, so that what moves with its directory has where to go.
    await this.#each(shallow, async (locator) => {
      if (this.#isNewDirectory(locator)) await this.#attempt(locator, () => this.#makeDirectory(locator));
    });
    await this.#move(differing);
    await this.#each(deep, (locator) => this.#attempt(locator, () => this.#clear(locator)));
    await this.#each(shallow, (locator) => this.#attempt(locator, () => this.#put(locator)));
    return { later: this.#later, changed: this.#changed };
  }

  /** In slices: a walk along a deep path, of which the system walks along each part, costs as the square of its depth. */
  async #each(places: readonly Locator[], body: (locator: Locator) => Promise<void> | void): Promise<void> {
    let cost = 0;
    for (const locator of places) {
      await body(locator);
      cost += locator.length ** 2;
      if (cost < SLICE) continue;
      cost = 0;
      await nextTurn();
    }
  }

  async #differing(places: Iterable<Locator>): Promise<Locator[]> {
    const differing: Locator[] = [];
    await this.#each([...places], (locator) => {
      if (this.#differs(locator) && !this.#isBeyondDisk(locator)) differing.push(locator);
    });
    return differing;
  }

  #isBeyondDisk(locator: Locator): boolean {
    if (!isBeyondDisk(locator, this.#surroundings.place.path)) return false;
    this.#surroundings.report('The path of an entry is too long for this system; it is in the order, and not on this disk.');
    return true;
  }

  #differs(locator: Locator): boolean {
    const { applied, view } = this.#surroundings.journal.known;
    return !isSameState(applied.get(locator), view.get(locator));
  }

  #isNewDirectory(locator: Locator): boolean {
    const { applied, view } = this.#surroundings.journal.known;
    return view.get(locator)?.kind === 'directory' && applied.get(locator) === undefined && !this.#isMissing(locator.slice(0, -1));
  }

  async #attempt(locator: Locator, body: () => Promise<Outcome>): Promise<void> {
    const outcome = await this.#outcome(locator, body);
    if (outcome === 'later') this.#later.push(locator);
    if (outcome === 'changed') this.#changed.push(locator);
  }

  async #outcome(locator: Locator, body: () => Promise<Outcome>): Promise<Outcome> {
    try {
      return await body();
    } catch (error) {
      if (error instanceof LockedError) return 'later';
      if (concernsAll(error)) throw error;
      // Such as a directory that is gone: whoever removed it is heard of next.
      if (error instanceof TreeError && IN_THE_WAY.has(error.code)) return 'changed';
      this.#surroundings.report(messageOf(error, locator));
      if (!isTooLong(error)) return 'later';
      this.#refused.add(keyOf(locator));
      return 'done';
    }
  }

  /** A file that goes and one with the same content that comes are one file that moves. */
  async #move(differing: readonly Locator[]): Promise<void> {
    const { applied, view } = this.#surroundings.journal.known;
    const going = new Map<string, Locator>();
    for (const locator of differing) {
      const state = applied.get(locator);
      if (state?.kind === 'file' && view.get(locator) === undefined) going.set(state.key, locator);
    }
    for (const target of going.size === 0 ? [] : differing) {
      const entry = view.get(target);
      const source = entry?.kind === 'file' && applied.get(target) === undefined ? going.get(entry.key) : undefined;
      if (source === undefined || entry?.kind !== 'file' || this.#isMissing(target.slice(0, -1))) continue;
      going.delete(entry.key);
      // Where it cannot move, it goes and comes.
      await this.#outcome(target, () => this.#moveFile(source, target, entry));
    }
  }

  #isMissing(directory: Locator): boolean {
    return directory.length > 0 && this.#surroundings.journal.known.applied.get(directory)?.kind !== 'directory';
  }

  #moveFile(source: Locator, target: Locator, entry: FileEntry): Promise<Outcome> {
    const { tree, journal } = this.#surroundings;
    return this.#operate({ operation: 'move', kind: 'file', source, target }, async () => {
      const state = journal.state().applied.get(source);
      if (state?.kind !== 'file' || state.key !== entry.key || !this.#isUntouched(source, state)) return 'changed';
      if (tree.kindOf(target) !== null) return 'changed';
      await tree.move(source, target);
      journal.appendApplied([
        { locator: source, state: null },
        { locator: target, state: { ...state, version: entry.id } },
      ]);
      return 'done';
    });
  }

  /** Removes what should not be there, or not as what it is. */
  async #clear(locator: Locator): Promise<Outcome> {
    const { applied, view } = this.#surroundings.journal.known;
    const state = applied.get(locator);
    const wanted = view.get(locator);
    if (state === undefined || state.kind === wanted?.kind) return 'done';
    return state.kind === 'file' ? this.#removeFile(locator, state) : this.#removeDirectory(locator);
  }

  async #removeFile(locator: Locator, state: AppliedFile): Promise<Outcome> {
    await this.#prepare.keep(locator, state);
    return this.#operate({ operation: 'remove', kind: 'file', source: locator }, () => {
      if (!this.#isUntouched(locator, state)) return 'changed';
      this.#surroundings.tree.remove(locator);
      this.#surroundings.journal.appendApplied([{ locator, state: null }]);
      return 'done';
    });
  }

  #removeDirectory(locator: Locator): Promise<Outcome> {
    const { tree, journal } = this.#surroundings;
    return this.#operate({ operation: 'remove', kind: 'directory', source: locator }, () => {
      if (tree.kindOf(locator) !== 'directory') return 'changed';
      // Something in it is locked, or new.
      if (!tree.isEmpty(locator)) return 'later';
      tree.remove(locator);
      journal.appendApplied([{ locator, state: null }]);
      return 'done';
    });
  }

  /** Puts there what should be. */
  async #put(locator: Locator): Promise<Outcome> {
    const { applied, view } = this.#surroundings.journal.known;
    const state = applied.get(locator);
    const wanted = view.get(locator);
    // What is in the way has been told of when it was not removed.
    if (wanted === undefined || isSameState(state, wanted) || (state !== undefined && state.kind !== wanted.kind)) return 'done';
    // Where its directory could not be made, that has been told of, and is tried again or not.
    if (this.#refused.size > 0 && this.#refused.has(keyOf(locator.slice(0, -1)))) {
      this.#refused.add(keyOf(locator));
      return 'done';
    }
    return wanted.kind === 'file' ? this.#putFile(locator, wanted, state) : this.#makeDirectory(locator);
  }

  #makeDirectory(locator: Locator): Promise<Outcome> {
    const { tree, journal } = this.#surroundings;
    return this.#operate({ operation: 'create', kind: 'directory', source: locator }, () => {
      const isNew = tree.createDirectory(locator);
      journal.appendApplied([{ locator, state: APPLIED_DIRECTORY }]);
      return isNew ? 'done' : 'unchanged';
    });
  }

  async #putFile(locator: Locator, entry: FileEntry, state: Applied | undefined): Promise<Outcome> {
    const { journal, tree } = this.#surroundings;
    if (state?.kind === 'file') {
      if (state.key === entry.key) {
        journal.appendApplied([{ locator, state: { ...state, version: entry.id } }]);
        return 'done';
      }
      await this.#prepare.keep(locator, state);
    }
    const swap = await tree.swap();
    try {
      const fingerprint = await fillAsWanted(swap, entry.manifest, this.#surroundings);
      const operation = state === undefined ? 'create' : 'modify';
      return await this.#operate({ operation, kind: 'file', source: locator }, async () => {
        if (!this.#isUntouched(locator, state)) return 'changed';
        if (!isSameState(entry, journal.known.view.get(locator))) return 'later';
        await tree.replace(swap, locator);
        journal.appendApplied([{ locator, state: { kind: 'file', version: entry.id, key: entry.key, fingerprint } }]);
        return 'done';
      });
    } finally {
      swap.discard();
    }
  }

  /** `unchanged`: done, and nobody has to hear of it. */
  #operate(intent: Intent, body: () => Outcome | 'unchanged' | Promise<Outcome | 'unchanged'>): Promise<Outcome> {
    return this.#surroundings.locks.operate(intent, async (): Promise<OperationResult<Outcome>> => {
      const outcome = await body();
      return outcome === 'unchanged' ? { changed: false, value: 'done' } : { changed: outcome === 'done', value: outcome };
    });
  }

  /** Under the lock: whether the disk and the journal are both as they were when it was decided what to do. */
  #isUntouched(locator: Locator, before: Applied | undefined): boolean {
    const { journal, tree } = this.#surroundings;
    const known = journal.state().applied.get(locator);
    const look = tree.look(locator);
    if (before?.kind !== 'file') return known === undefined && before === undefined && look === null;
    if (known?.kind !== 'file' || !isSameOperation(known.version, before.version)) return false;
    return look?.kind === 'file' && look.fingerprint === known.fingerprint;
  }
}

function isTooLong(error: unknown): boolean {
  return error instanceof TreeError && error.code === 'too-long';
}

export function isSameState(a: Applied | TableEntry | undefined, b: TableEntry | undefined): boolean {
  if (a === undefined || b === undefined || a.kind === 'directory' || b.kind === 'directory') return a?.kind === b?.kind;
  return isSameOperation('version' in a ? a.version : a.id, b.id);
}
