import fs from 'node:fs';
import type { Locator } from '../../disk/locator.ts';
import { NO_OPERATION } from '../../disk/replica/operation.ts';
import { DIRECTORY, fingerprintOf } from '../../disk/tree/look.ts';
import type { FileLook, Look } from '../../disk/tree/look.ts';
import { TreeError } from '../../disk/tree/tree-error.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { nextTurn, wallClock } from '../../runtime/timers.ts';
import { APPLIED_DIRECTORY } from './applied.ts';
import type { Applied } from './applied.ts';
import { digestContent, uploadContent } from './blobs.ts';
import type { Content } from './blobs.ts';
import { concernsAll, messageOf } from './failures.ts';
import { inParallel } from './in-parallel.ts';
import { isLegalLocator, keyOf, locatorOf } from './locators.ts';
import { contentKey, manifestTime } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { Outgoing } from './outgoing.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * A file that was written to so lately, in milliseconds, may be written to again within one tick of the disk's clock,
 * and then have the fingerprint that it has now. It is looked at again when it is older.
 */
export const SETTLE_MS = 30;

/** Files that are read and sent at the same time. */
const AT_ONCE = 8;

/** Places looked at before other work has its turn. */
const SLICE = 256;

/** What a look costs at most before it counts twice. */
const NAMES_A_LOOK = 16;

/** A place to look at. */
export interface Target {
  readonly locator: Locator;
  /** Whether to look at everything below it too, also where nothing is known to have changed. */
  readonly deep: boolean;
}

export interface Captured {
  /** Every place that was looked at: the ones asked for, those above them, and what turned out to be new below. */
  readonly places: readonly Locator[];
  /** Where something is going on; to be looked at again soon. */
  readonly unsettled: readonly Locator[];
  /** Files that are written to again and again. */
  readonly busy: readonly Locator[];
  /** Files that seem to be stubs, and are known. */
  readonly stubs: readonly Locator[];
}

interface FoundFile {
  readonly locator: Locator;
  readonly look: FileLook;
  readonly applied: Applied | undefined;
}

/**
 * Finds what has changed on the disk since the journal and the disk last agreed, and makes it pending. The content of a
 * file is at the hub before its change is in the journal. While the hub is away, the file itself is the change.
 */
export class Capture {
  readonly #surroundings: Surroundings;
  readonly #outgoing: Outgoing;
  readonly #seen = new Set<string>();
  readonly #seenBelow = new Set<string>();
  readonly #unsettled: Locator[] = [];
  readonly #busy: Locator[] = [];
  readonly #stubs: Locator[] = [];
  readonly #directories: Locator[] = [];
  readonly #files: FoundFile[] = [];
  readonly #gone: Locator[] = [];
  /** What is gone because an entry of the other kind is there now: its end comes before that in the change. */
  readonly #switched: Locator[] = [];
  /** Content of files that are gone, by their fingerprint, which a move keeps. */
  readonly #movable = new Map<string, Manifest>();

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.#outgoing = new Outgoing(surroundings);
  }

  /** @throws HoldfastError as hubs and journals do; what was not made pending then is found again by the next one */
  async run(scope: Iterable<Target>): Promise<Captured> {
    await this.#lookAtAll(scope);
    this.#requireRoot();
    for (const locator of deepestFirst(this.#switched)) this.#end(locator);
    for (const locator of this.#directories) this.#makeDirectory(locator);
    await this.#sendFiles();
    this.#endTheRest();
    this.#outgoing.flush();
    return { places: Array.from(this.#seen, locatorOf), unsettled: [...this.#unsettled, ...this.#outgoing.stale], busy: this.#busy, stubs: this.#stubs };
  }

  /** A disk that has lost the directory of the files must not make all regions remove theirs. */
  #requireRoot(): void {
    if (this.#known.applied.isEmpty || this.#surroundings.tree.look([]) !== null) return;
    throw new HoldfastError('disk-failed', 'The directory that holds the files of this origin is missing; nothing of it is synced.');
  }

  async #lookAtAll(scope: Iterable<Target>): Promise<void> {
    const waiting = [...scope];
    let looked = 0;
    for (let target = waiting.pop(); target !== undefined; target = waiting.pop()) {
      looked += await this.#lookAlong(target.locator, waiting);
      if (target.deep) this.#lookBelow(target.locator, waiting);
      if (looked < SLICE) continue;
      looked = 0;
      await nextTurn();
    }
  }

  /** At a place and those above it, from above. Where no directory is, nothing is below. Returns what that has cost, in looks. */
  async #lookAlong(locator: Locator, waiting: Target[]): Promise<number> {
    let look: Look | null | undefined = DIRECTORY;
    let names = 0;
    for (const place of this.#unseenOnTheWay(locator)) {
      // What is no entry of ours, such as a link, hides what is below it; nothing of it is gone.
      if (look !== undefined) look = look?.kind === 'directory' ? this.#look(place) : null;
      // It may have been found to be gone with what it was in.
      if (this.#isNew(place)) this.#lookAt(place, look, waiting);
      // Each look walks along the whole way.
      if ((names += place.length) < SLICE * NAMES_A_LOOK) continue;
      names = 0;
      await nextTurn();
    }
    return 1 + (names + locator.length) / NAMES_A_LOOK;
  }

  /** Who looks at a place has looked at those above it before. */
  #unseenOnTheWay(locator: Locator): Locator[] {
    const places: Locator[] = [];
    const isLegal = isLegalLocator(locator);
    for (let depth = locator.length; depth > 0; depth -= 1) {
      const place = locator.slice(0, depth);
      if (this.#seen.has(keyOf(place))) break;
      // What is on the way to a legal place is one.
      if (isLegal || isLegalLocator(place)) places.push(place);
      else this.#leaveOut(place);
    }
    return places.reverse();
  }

  #leaveOut(place: Locator): void {
    if (!this.#isNew(place)) return;
    this.#surroundings.report(`The name or path of '${keyOf(place)}' is not one that every region can have; it is not synced.`);
  }

  #isNew(place: Locator): boolean {
    const { size } = this.#seen;
    return this.#seen.add(keyOf(place)).size > size;
  }

  /** Sorts a place in; what is below a new directory is to be looked at too. */
  #lookAt(locator: Locator, look: Look | null | undefined, waiting: Target[]): void {
    if (look === undefined) return;
    const applied = this.#known.applied.get(locator);
    if (applied !== undefined && applied.kind !== look?.kind) this.#isGone(locator, applied, look);
    if (look?.kind === 'file') {
      if (applied?.kind !== 'file' || applied.fingerprint !== look.fingerprint) this.#files.push({ locator, look, applied });
      else if (look.marked) this.#stubs.push(locator);
    } else if (look !== null && applied?.kind !== 'directory') {
      this.#directories.push(locator);
      this.#lookBelow(locator, waiting);
    }
  }

  /** What is on the disk below a place, and what was when the journal last knew. */
  #lookBelow(locator: Locator, waiting: Target[]): void {
    const key = keyOf(locator);
    if (this.#seenBelow.has(key)) return;
    this.#seenBelow.add(key);
    // One by one: there may be more than a call takes arguments.
    for (const child of this.#childrenOf(locator)) waiting.push({ locator: child, deep: true });
    for (const [inner] of this.#known.applied.below(locator)) waiting.push({ locator: inner, deep: false });
  }

  /** Undefined: what is there is no entry of ours. */
  #look(locator: Locator): Look | null | undefined {
    try {
      return this.#surroundings.tree.look(locator);
    } catch (error) {
      if (!(error instanceof TreeError)) throw error;
      this.#surroundings.report(`${error.message}; it is not synced.`);
      return undefined;
    }
  }

  /** None where no directory is. */
  #childrenOf(locator: Locator): Locator[] {
    try {
      return Array.from(this.#surroundings.tree.entries(locator), ([name]) => [...locator, name]);
    } catch (error) {
      if (!(error instanceof TreeError)) throw error;
      if (!isAbsent(error)) this.#unsettled.push(locator);
      return [];
    }
  }

  #isGone(locator: Locator, applied: Applied, look: Look | null): void {
    const list = look === null ? this.#gone : this.#switched;
    list.push(locator);
    this.#remember(locator, applied);
    if (applied.kind === 'file') return;
    for (const [inner, state] of this.#known.applied.below(locator)) {
      if (this.#seen.has(keyOf(inner))) continue;
      this.#seen.add(keyOf(inner));
      list.push(inner);
      this.#remember(inner, state);
    }
  }

  /** Another file with its fingerprint is this one under another name. */
  #remember(locator: Locator, applied: Applied): void {
    const entry = this.#known.view.get(locator);
    if (applied.kind === 'file' && entry?.kind === 'file' && entry.key === applied.key) {
      this.#movable.set(applied.fingerprint, entry.manifest);
    }
  }

  #makeDirectory(locator: Locator): void {
    if (this.#known.view.get(locator)?.kind === 'directory') this.#outgoing.note({ locator, state: APPLIED_DIRECTORY });
    else this.#outgoing.add({ type: 'directory', locator });
  }

  #end(locator: Locator): void {
    const { applied, view } = this.#known;
    const state = applied.get(locator);
    if (state === undefined) return;
    if (view.get(locator) === undefined) this.#outgoing.note({ locator, state: null });
    else if (state.kind === 'directory') this.#outgoing.add({ type: 'gone-directory', locator });
    else this.#outgoing.add({ type: 'gone-file', locator, expected: state.version });
  }

  /** What is gone may have moved to where something cannot be read yet: then its end waits, for it must not overtake. */
  #endTheRest(): void {
    const mayHaveMoved = [...this.#unsettled, ...this.#busy].some((locator) => this.#known.applied.get(locator) === undefined);
    const ending: Locator[] = [];
    for (const locator of deepestFirst(this.#gone)) {
      const isGone = !mayHaveMoved && this.#look(locator) === null;
      (isGone ? ending : this.#unsettled).push(locator);
    }
    this.#requireRoot();
    for (const locator of ending) this.#end(locator);
  }

  async #sendFiles(): Promise<void> {
    await inParallel(this.#files, AT_ONCE, (file) => this.#sendFile(file));
  }

  async #sendFile(file: FoundFile): Promise<void> {
    try {
      if (this.#isDamagedStub(file)) return this.#giveUp(file);
      const manifest = this.#manifestOfStub(file) ?? this.#movable.get(file.look.fingerprint) ?? (await this.#read(file));
      if (manifest === null) this.#unsettled.push(file.locator);
      else this.#conclude(file, manifest);
    } catch (error) {
      if (error instanceof Changed) return void this.#busy.push(file.locator);
      if (concernsAll(error)) throw error;
      this.#unsettled.push(file.locator);
      if (!isAbsent(error)) this.#surroundings.report(messageOf(error, file.locator));
    }
  }

  /** Null when the file is no stub. */
  #manifestOfStub({ locator, look }: FoundFile): Manifest | null {
    const bytes = look.marked ? this.#surroundings.tree.manifest(locator) : null;
    return bytes === null ? null : this.#surroundings.stubs.decode(bytes);
  }

  #isDamagedStub({ locator, look }: FoundFile): boolean {
    const bytes = look.marked ? this.#surroundings.tree.manifest(locator) : null;
    return bytes !== null && this.#surroundings.stubs.decode(bytes) === null;
  }

  /** What should be there takes the place of a stub that the disk has damaged. */
  #giveUp({ locator, look }: FoundFile): void {
    this.#surroundings.report(`What says where the content of '${keyOf(locator)}' is was damaged on this disk.`);
    if (this.#known.view.get(locator)?.kind !== 'file') return;
    this.#outgoing.note({ locator, state: { kind: 'file', version: NO_OPERATION, key: '', fingerprint: look.fingerprint } });
  }

  /** Null when the file was written to or replaced just now. @throws Changed when it is while it is read */
  async #read({ locator, look, applied }: FoundFile): Promise<Manifest | null> {
    const age = wallClock() - look.lastModified;
    if (age >= 0 && age < SETTLE_MS) return null;
    const { tree, blobs } = this.#surroundings;
    const file = tree.openForReading(locator, 'beside-writers');
    try {
      const proceed = (): void => {
        if (fingerprintOf(fs.fstatSync(file.descriptor)) !== look.fingerprint) throw new Changed();
      };
      let content: Content | null = null;
      if (this.#mayBeKnown(locator, look, applied)) content = await digestContent(file, blobs, proceed);
      if (content === null || !this.#isKnown(locator, content, applied)) content = await uploadContent(file, blobs, proceed);
      const now = tree.look(locator);
      proceed();
      const isThere = now?.kind === 'file' && now.fingerprint === look.fingerprint && content.size === look.size;
      return isThere ? { ...content, lastModified: manifestTime(look.lastModified) } : null;
    } finally {
      fs.closeSync(file.descriptor);
    }
  }

  /** Whether it is worth the reading to find out that nothing has to be sent. */
  #mayBeKnown(locator: Locator, { size }: FileLook, applied: Applied | undefined): boolean {
    const prefix = contentKey({ size, chunks: new Uint8Array(0) }).split('-', 1)[0];
    return this.#keysAt(locator, applied).some((key) => key.startsWith(`${prefix}-`));
  }

  #isKnown(locator: Locator, content: Content, applied: Applied | undefined): boolean {
    return this.#keysAt(locator, applied).includes(contentKey(content));
  }

  #keysAt(locator: Locator, applied: Applied | undefined): string[] {
    const entry = this.#known.view.get(locator);
    return [applied, entry].flatMap((state) => (state?.kind === 'file' ? [state.key] : []));
  }

  #conclude({ locator, look, applied }: FoundFile, manifest: Manifest): void {
    const key = contentKey(manifest);
    const entry = this.#known.view.get(locator);
    const { fingerprint } = look;
    if (applied?.kind === 'file' && applied.key === key) {
      this.#outgoing.note({ locator, state: { ...applied, fingerprint } });
    } else if (entry?.kind === 'file' && entry.key === key) {
      this.#outgoing.note({ locator, state: { kind: 'file', version: entry.id, key, fingerprint } });
    } else {
      const expected = applied?.kind === 'file' ? applied.version : NO_OPERATION;
      this.#outgoing.add({ type: 'file', locator, expected, manifest }, fingerprint);
    }
  }

  get #known(): Surroundings['journal']['known'] {
    return this.#surroundings.journal.known;
  }
}

/** A file was written to while it was read. */
class Changed extends Error {}

/** Such as for a file that was removed a moment ago. */
function isAbsent(error: unknown): boolean {
  return error instanceof TreeError && (error.code === 'not-found' || error.code === 'type-mismatch');
}

export function deepestFirst(locators: readonly Locator[]): Locator[] {
  return [...locators].sort((a, b) => b.length - a.length);
}
