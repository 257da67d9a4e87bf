import fs from 'node:fs';
import path from 'node:path';
import { Journal } from '../journal/journal.ts';
import { plainScript, type NameScript } from '../names/script.ts';
import type { Locator } from '../locator.ts';
import type { PlaceKeys } from '../place.ts';
import type { CaptureContext } from './capture-context.ts';
import { DatabaseCaptures } from './database-captures.ts';
import { isDirectoryAt, namesIn } from './entries.ts';
import { factsOf, isFresh } from './file-facts.ts';
import { InPlacePart } from './in-place.ts';
import { isJournal, JournalPart } from './journal-part.ts';
import { freshParts, type FreshPart } from './listing.ts';
import { LockView } from './lock-view.ts';
import { Moved, type Part } from './part.ts';
import { ResponseCapture } from './responses.ts';

/** Of processes that live now, or made anew by counting; or looked at by themselves. */
const notJournals: ReadonlySet<string> = new Set(['locks', 'quota', 'channels', 'swap', 'trash', 'wake', 'indexeddb', 'caches']);

/** Tables of locks. */
const TABLES = ['locks', 'indexeddb/locks'] as const;

/** How long files that are written to in place are waited for while everybody else waits too, in milliseconds. */
const SHORT_PATIENCE_MS = 60;

/** And afterwards. */
const LONG_PATIENCE_MS = 5_000;

/** Files that are written to in place are copied while others wait, up to so many bytes in all. */
const QUICK_BYTES = 2 ** 26;

/** A bucket, or what is like one, on its way into a backup. */
export class PlaceCapture {
  readonly directory: string;
  readonly #relative: string;
  readonly #context: CaptureContext;
  readonly #journals: JournalPart[] = [];
  readonly #databases: DatabaseCaptures;
  readonly #locks: LockView | null;
  readonly #keys: PlaceKeys | undefined;
  #responses: ResponseCapture | null = null;
  #inPlace: InPlacePart[] = [];

  constructor(directory: string, relative: string, context: CaptureContext) {
    this.directory = directory;
    this.#relative = relative;
    this.#context = context;
    this.#keys = context.keysOf?.(relative);
    this.#databases = new DatabaseCaptures(directory, relative, context);
    const locks = path.join(directory, 'locks');
    this.#locks = isJournal(locks) ? new LockView(locks, this.#keys?.journal('locks')) : null;
  }

  /** As its lock table needs it. */
  get encryption(): PlaceKeys | undefined {
    return this.#keys;
  }

  get hasLocks(): boolean {
    return this.#locks !== null;
  }

  /** Opens what is to be looked at in one moment. @throws Moved; HoldfastError for what is damaged */
  async open(): Promise<void> {
    for (const name of namesIn(this.directory)) {
      const isSpecial = notJournals.has(name) || name.startsWith('.') || name.startsWith('files.');
      if (!isSpecial && isJournal(path.join(this.directory, name))) this.#journals.push(this.#journal(name));
    }
    if (isJournal(path.join(this.directory, 'caches/index'))) this.#openCaches();
    await this.#databases.open();
  }

  #openCaches(): void {
    const index = this.#journal('caches/index');
    this.#journals.push(index);
    this.#responses = new ResponseCapture(this.directory, this.#relative, index, this.#context, this.#keys?.journal('caches/index'));
  }

  #journal(name: string): JournalPart {
    const { files } = this.#context.previous;
    const relative = this.#below(name);
    return new JournalPart(path.join(this.directory, name), relative, (generation) => files.get(`${relative}/${generation}`));
  }

  /**
   * Takes the files, which nobody changes by their names meanwhile: either because all are kept from it (`isHeld`), or
   * as is seen afterwards by what this returns.
   *
   * @throws Moved
   */
  async takeFiles(isHeld: boolean): Promise<Part[]> {
    const locks = this.#locks;
    if (locks === null) return [];
    const before = locks.position();
    if (!isHeld && locks.isBusy) throw new Moved(this.directory);
    const base = path.join(this.directory, `files.${locks.epoch}`);
    const inPlace = locks.writtenInPlace.map((locator) => this.#inPlacePart(base, locator));
    this.#inPlace = [...new Map(inPlace.map((part) => [part.path, part])).values()].filter((part) => fs.existsSync(part.path));
    await this.#takeInPlaceSoon();
    if (isDirectoryAt(base)) await this.#context.walk(new Set(this.#inPlace.map((part) => part.path))).take(base, this.#below('files.0'));
    return isHeld ? [] : [new Unmoved(this.directory, locks, before)];
  }

  #inPlacePart(base: string, locator: Locator): InPlacePart {
    const spelled = locator.map((name) => this.#script.encode(name).component).join('/');
    const relative = this.#below(`files.0/${spelled}`);
    return new InPlacePart(`${base}/${spelled}`, relative, this.#context.previous.files.get(relative));
  }

  get #script(): NameScript {
    const visible = plainScript(this.#context.foldsNames);
    return this.#keys?.sealing.names(visible) ?? visible;
  }

  /** Those of moderate size that stand still become part of the common moment; what is not copied now is copied later. */
  async #takeInPlaceSoon(): Promise<void> {
    const sizes = this.#inPlace.map((part) => fs.lstatSync(part.path, { throwIfNoEntry: false })?.size ?? 0);
    if (sizes.reduce((sum, size) => sum + size, 0) > QUICK_BYTES) return;
    await Promise.all(this.#inPlace.map((part) => part.take(this.#context.draft, SHORT_PATIENCE_MS)));
  }

  /** To be called right before the moment is looked for. @throws Moved */
  prepare(): void {
    for (const journal of this.#journals) journal.prepare();
    this.linkResponses();
  }

  /** To be called right after the moment was found. */
  linkResponses(): void {
    this.#responses?.link();
  }

  /** What must be of one moment. The first may change as fast as it likes. */
  parts(): Part[] {
    const rank = (part: JournalPart): number => (path.basename(part.directory) === 'local-storage' ? 0 : 1);
    return [...this.#journals.sort((a, b) => rank(a) - rank(b)), ...this.#inPlace, ...this.#databases.parts()];
  }

  /** Takes what was found at the moment. Others go on meanwhile. @throws Moved */
  async finish(): Promise<void> {
    const { taken } = this.#context;
    for (const journal of this.#journals) this.#takeJournal(journal);
    await this.#responses?.take();
    await this.#databases.finish();
    this.#takePlainFiles();
    for (const part of this.#inPlace) await this.#finishInPlace(part);
    for (const name of this.#keys === undefined ? [] : TABLES) if (this.#keys !== undefined && isJournal(path.join(this.directory, name))) this.#addLocks(name, this.#keys);
    taken.places.push({ path: this.#relative, parts: freshParts.filter((part) => isDirectoryAt(path.join(this.directory, part))) });
  }

  #takeJournal(journal: JournalPart): void {
    const { taken, now, previous } = this.#context;
    const { relative } = journal;
    const { generation, bytes, facts, isFresh: isNew } = journal.take(now);
    const file = `${relative}/${generation}`;
    const kept = previous.files.get(file);
    taken.directories.push(relative, `${relative}/cand`);
    if (bytes === null && kept !== undefined) taken.files.push({ path: file, kept });
    else if (bytes !== null) taken.files.push({ path: file, kept: null, facts, isStub: false, isFresh: isNew, content: bytes });
  }

  /** Such as what says that the bucket is persisted. */
  #takePlainFiles(): void {
    const walk = this.#context.walk();
    for (const name of namesIn(this.directory)) {
      const file = path.join(this.directory, name);
      if (!name.startsWith('.') && fs.lstatSync(file, { throwIfNoEntry: false })?.isFile() === true) walk.takeFile(file, this.#below(name));
    }
  }

  /**
   * A table of locks that nobody holds: who restores the origin has no key to make one. That of the backup before serves
   * as long as the keys are the same.
   */
  #addLocks(name: FreshPart, keys: PlaceKeys): void {
    const { taken, draft, previous } = this.#context;
    const relative = this.#below(name);
    taken.directories.push(relative, `${relative}/cand`);
    const kept = previous.files.get(`${relative}/0`);
    if (kept !== undefined && this.#context.areKeysKept) return void taken.files.push({ path: kept.path, kept });
    const directory = draft.next();
    fs.mkdirSync(directory, { mode: 0o700 });
    Journal.create(directory, [], keys.journal(name));
    const content = path.join(directory, '0');
    const facts = factsOf(content);
    if (facts === null) throw new Moved(content);
    taken.files.push({ path: `${relative}/0`, kept: null, facts, isStub: false, isFresh: false, content });
  }

  async #finishInPlace(part: InPlacePart): Promise<void> {
    const { taken, now, previous, draft } = this.#context;
    const { relative, isOfMoment } = part;
    if (!isOfMoment && !(await part.take(draft, LONG_PATIENCE_MS))) {
      taken.leftOut.set(relative, 'It was written to without a pause in which it could be copied.');
      return;
    }
    if (!isOfMoment) taken.apart.push(relative);
    const kept = previous.files.get(relative);
    if (part.held === null) return;
    const { facts, file } = part.held;
    if (file !== null) taken.files.push({ path: relative, kept: null, facts, isStub: facts.isStub, isFresh: isFresh(facts, now), content: file });
    else if (kept !== undefined) taken.files.push({ path: relative, kept });
  }

  async close(): Promise<void> {
    this.#locks?.close();
    for (const journal of this.#journals) journal.close();
    await this.#databases.close();
  }

  #below(name: string): string {
    return `${this.#relative}/${name}`;
  }
}

/** That nobody asked for anything in a lock table. */
class Unmoved implements Part {
  readonly #what: string;
  readonly #locks: LockView;
  readonly #before: string;

  constructor(what: string, locks: LockView, before: string) {
    this.#what = what;
    this.#locks = locks;
    this.#before = before;
  }

  position(): string {
    if (this.#locks.position() !== this.#before) throw new Moved(this.#what);
    return this.#before;
  }

  settle(): boolean {
    return true;
  }
}
