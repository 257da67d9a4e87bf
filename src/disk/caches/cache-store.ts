import { onShortage } from '../../runtime/descriptors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { type Timer, clearTimeout, setImmediate, setTimeout } from '../../runtime/timers.ts';
import { OpenJournals, type Suspendable } from '../journal/open-journals.ts';
import type { BucketPlace } from '../place.ts';
import { CacheHandle, type HandleState } from './cache-handle.ts';
import { CacheJournal, type CacheJournalOptions } from './cache-journal.ts';
import { CacheList } from './cache-list.ts';
import type { CacheEntry, CacheQuery } from './entry.ts';
import type { CacheListener, CacheMachine, CacheOutcome } from './machine.ts';
import type { CacheParty, Presence } from './party.ts';
import { readFound } from './read-found.ts';
import { encodeName, kinds } from './records.ts';
import type { ResponseDraft } from './response-draft.ts';
import { ResponseFiles, type StoredResponse } from './response-files.ts';
import type { ResponseHead } from './response-head.ts';

export interface CacheStoreOptions extends CacheJournalOptions {
  readonly party: () => CacheParty;
  /** Runs what it is given outside of the caller's asynchronous context; for timers. */
  readonly detach?: <T>(body: () => T) => T;
}

/** How long after its last use a realm is still seen to live, in milliseconds: so often at most that takes two records. */
const LINGER_MS = 1000;

/** Indexes open at once in this realm. */
const openStores = new OpenJournals<CacheStore>(64);
onShortage(() => openStores.suspendWhere(() => true));

/**
 * The caches of one bucket, as one realm sees them: shared by all processes and threads that use the bucket. Invariants:
 * - what is asked sees every change that had returned, in any process, before the question;
 * - a bucket that does not exist reads as one without caches; the first `open` makes it;
 * - of a cache that was deleted, its handles in the realm that has deleted it keep the entries, for themselves, until
 *   they are gone; in all other realms it is empty. Nothing that is put into it later is recorded;
 * - while files of this realm are unnamed, it shows that it lives.
 *
 * Methods throw HoldfastError, and what the ledger and the operating system throw.
 * https://w3c.github.io/ServiceWorker/#cache-objects
 */
export class CacheStore implements Suspendable {
  used = false;
  readonly busy = false;
  readonly #journal: CacheJournal;
  readonly #files: ResponseFiles;
  readonly #isStrict: boolean;
  readonly #party: () => CacheParty;
  readonly #detach: <T>(body: () => T) => T;
  readonly #handles = new Map<number, WeakRef<CacheHandle>>();
  readonly #gone = new FinalizationRegistry<HandleState>((state) => this.#forget(state));
  #presence: Presence | null = null;
  /** Files of this realm that others have replaced: whoever did may have been killed before it deleted them. */
  #strays: CacheEntry[] = [];
  #sweepDue = false;
  #hasRetried = false;
  #timer: Timer | null = null;
  #isOpen = false;
  #closed = false;

  /** Does no I/O. */
  constructor(place: BucketPlace, { party, detach = (body) => body(), ...options }: CacheStoreOptions) {
    this.#journal = new CacheJournal(place, options);
    this.#files = new ResponseFiles(this.#journal.responses, { party, onLeft: () => this.#retryOnce(), sealing: place.encryption?.sealing });
    this.#isStrict = options.durability === 'strict' || options.shared !== undefined;
    this.#party = party;
    this.#detach = detach;
    this.#journal.machine.listener = this.#listener();
  }

  /** The caches by their names, in the order in which they were made. */
  caches(): CacheMachine['caches'] {
    return this.#look().caches;
  }

  /** The cache of a name; made where there is none. */
  open(name: string): CacheHandle {
    const known = this.caches().get(name);
    const cache = known ?? this.#append(kinds.open, encodeName(name)).cache;
    if (cache === null) throw new HoldfastError('journal-damaged', `The cache '${name}' was opened and is not there.`);
    return this.#handleOf(cache);
  }

  /** Deletes a cache; false where there is none of that name. */
  delete(name: string): boolean {
    if (!this.caches().has(name)) return false;
    const { cache } = this.#append(kinds.delete, encodeName(name));
    if (cache === null) return false;
    const handle = this.#handles.get(cache.id)?.deref();
    // A handle that has it goes on with it.
    if (handle === undefined) void this.#files.remove([...cache]);
    else this.#keep(cache);
    return true;
  }

  /** The first response that matches in any cache, in the order in which they were made; or in that of a name. */
  match(query: CacheQuery, name?: string): StoredResponse | undefined {
    return readFound(() => this.#find(query, name), (entry) => this.read(entry), 1)[0];
  }

  #find(query: CacheQuery, name?: string): CacheEntry[] {
    const { caches } = this.machine;
    const asked = name === undefined ? [...caches.values()] : [caches.get(name)];
    return asked.flatMap((cache) => cache?.find(query) ?? []);
  }

  /** Null: the response is not there any more, or was not written whole. */
  read(entry: CacheEntry): StoredResponse | null {
    return this.#files.read(entry);
  }

  /** The list behind a handle, by now. */
  listOf(state: HandleState): CacheList {
    const { machine } = this;
    return state.own ?? machine.withId(state.id) ?? this.#doom(state);
  }

  /** A new response, which `put` names or whoever has it discards. */
  draft(head: ResponseHead): ResponseDraft {
    this.#journal.ensure();
    this.#appear();
    return this.#files.create(head);
  }

  /** Completes a draft. */
  finish(draft: ResponseDraft): Promise<void> {
    return draft.finish(this.#isStrict);
  }

  /**
   * Appends a record about the cache of a handle, unless that was deleted: then `apply` is to do the same to the
   * handle's own list. `drafts` are named by it.
   */
  change(state: HandleState, kind: number, payload: Uint8Array, apply: (own: CacheList) => CacheEntry[], drafts: readonly ResponseDraft[]): boolean {
    this.#requirePresence(drafts);
    if (drafts.length > 0 && this.#isStrict) this.#files.sync();
    const outcome = state.own === null && this.machine.withId(state.id) !== undefined ? this.#attempt(kind, payload, drafts) : null;
    if (outcome === null || outcome.cache === null) return this.#changeOwn(state, apply, drafts);
    for (const draft of drafts) draft.named();
    void this.#files.remove(outcome.dropped);
    return outcome.dropped.length > 0;
  }

  #changeOwn(state: HandleState, apply: (own: CacheList) => CacheEntry[], drafts: readonly ResponseDraft[]): boolean {
    const own = this.listOf(state);
    const dropped = apply(own);
    for (const draft of drafts) draft.named();
    this.#keep(own);
    void this.#files.release(dropped);
    return dropped.length > 0;
  }

  /** What becomes of drafts whose record may or may not be there is found out by a sweep. */
  #attempt(kind: number, payload: Uint8Array, drafts: readonly ResponseDraft[]): CacheOutcome {
    try {
      return this.#append(kind, payload);
    } catch (error) {
      const isCertain = error instanceof HoldfastError && error.code === 'closed';
      for (const draft of drafts) if (!isCertain) draft.leave();
      this.#tidyLater(true);
      throw error;
    }
  }

  /** What it says as of now. */
  get machine(): CacheMachine {
    return this.#look();
  }

  #look(): CacheMachine {
    this.used = true;
    if (this.#journal.look()) this.#opened();
    return this.#journal.machine;
  }

  #opened(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    openStores.add(this);
  }

  #append(kind: number, payload: Uint8Array): CacheOutcome {
    this.#journal.ensure();
    const outcome = this.#journal.append(kind, payload);
    this.#opened();
    return outcome;
  }

  #handleOf({ id }: CacheList): CacheHandle {
    const known = this.#handles.get(id)?.deref();
    if (known !== undefined) return known;
    const state = { id, own: null };
    const handle = new CacheHandle(this, state);
    this.#handles.set(id, new WeakRef(handle));
    this.#gone.register(handle, state);
    return handle;
  }

  #forget({ id, own }: HandleState): void {
    if (this.#handles.get(id)?.deref() === undefined) this.#handles.delete(id);
    if (own !== null) void this.#files.release(own);
  }

  /** Its cache was deleted while nobody told: whatever it held is gone. */
  #doom(state: HandleState): CacheList {
    return (state.own = new CacheList(state.id, ''));
  }

  // What others do.

  #listener(): CacheListener {
    return {
      deleted: (cache, session) => this.#deleted(cache, session === this.#journal.session),
      dropped: (entries, session) => {
        if (session !== this.#journal.session) this.#stray(entries);
      },
      // Amid the restoring nobody knows yet which caches there are; handles find out when they are used.
      restored: () => this.#sweepSoon(),
    };
  }

  #deleted(cache: CacheList, isOwn: boolean): void {
    const state = this.#handles.get(cache.id)?.deref()?.state;
    if (state !== undefined) state.own = isOwn ? cache : new CacheList(cache.id, cache.name);
    if (!isOwn) this.#stray([...cache]);
  }

  #stray(entries: readonly CacheEntry[]): void {
    const own = entries.filter((entry) => this.#files.hasMade(entry));
    if (own.length === 0) return;
    this.#strays = [...this.#strays, ...own];
    this.#tidyLater(false);
  }

  /** What cannot be deleted now may be later; but on a disk that refuses it for good nobody tries for ever. */
  #retryOnce(): void {
    if (this.#hasRetried) return;
    this.#hasRetried = true;
    this.#tidyLater(true);
  }

  // That this realm lives.

  #keep(own: Iterable<CacheEntry>): void {
    this.#files.keep(own);
    try {
      this.#appear();
    } catch {
      // Then a sweep of another realm may take what only handles here can reach.
    }
  }

  #appear(): void {
    if (this.#presence?.holds !== true) this.#presence = this.#party().appear();
    this.#tidyLater(false);
  }

  #requirePresence(drafts: readonly ResponseDraft[]): void {
    if (drafts.length === 0 || this.#presence?.holds === true) return;
    throw new HoldfastError('session-lost', 'Others have taken this process for dead while a response was being stored; it was not.');
  }

  // Housekeeping, later.

  #tidyLater(sweep: boolean): void {
    this.#sweepDue ||= sweep;
    if (this.#timer !== null || this.#closed) return;
    this.#timer = this.#detach(() => setTimeout(() => void this.#tidy(), LINGER_MS)).unref();
  }

  async #tidy(): Promise<void> {
    this.#timer = null;
    const strays = this.#strays;
    this.#strays = [];
    await this.#files.remove(strays);
    if (this.#sweepDue) await this.#sweepQuietly();
    if (this.#presence === null || this.#closed) return;
    if (this.#files.isKeeping) return this.#tidyLater(false);
    this.#leave();
  }

  #leave(): void {
    try {
      this.#presence?.release();
    } catch {
      // Others go on to see that it lives, as it does.
    }
    this.#presence = null;
  }

  /** At the first look, and where it is not known what has happened meanwhile. */
  #sweepSoon(): void {
    if (this.#sweepDue) return;
    this.#sweepDue = true;
    this.#detach(() => setImmediate(() => void this.#sweepQuietly())).unref();
  }

  async #sweepQuietly(): Promise<void> {
    if (this.#closed) return;
    this.#sweepDue = false;
    try {
      await this.sweep();
    } catch {
      // Housekeeping: the next start tries again.
    }
  }

  /**
   * Writes each response anew that is not encrypted with the key that is active, one after another; whoever is killed
   * leaves each as it was or rewritten. Others go on meanwhile.
   *
   * @throws OverQuotaError, HoldfastError, and the operating system's errors
   */
  async renew(): Promise<void> {
    await this.sweep();
    if (!this.#journal.look()) return;
    const renewed: CacheEntry[] = [];
    for (const entry of Array.from(this.machine.caches.values(), (cache) => [...cache]).flat()) {
      this.#appear();
      if (await this.#files.renew(entry)) renewed.push(entry);
    }
    if (renewed.length === 0) return;
    // Whoever has removed one meanwhile has deleted the file that was there before.
    const named = this.#named();
    await this.#files.remove(renewed.filter(({ file }) => !named.has(file)));
  }

  /** Deletes what killed processes have left. */
  async sweep(): Promise<void> {
    this.#journal.sweep();
    if (!this.#journal.look()) return;
    this.#opened();
    await this.#files.sweep(() => this.#named());
  }

  #named(): Set<string> {
    if (!this.#journal.look()) throw new HoldfastError('closed', 'The caches are gone.');
    const named = new Set<string>();
    for (const cache of this.#journal.machine.caches.values()) for (const { file } of cache) named.add(file);
    return named;
  }

  /** Whether it holds a descriptor. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  suspend(): void {
    this.#isOpen = false;
    this.#journal.suspend();
  }

  /** For good: what is asked later throws HoldfastError `closed`. */
  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (const handle of this.#handles.values()) this.#forgetOwn(handle.deref()?.state);
    this.#leave();
    openStores.delete(this);
    this.#isOpen = false;
    this.#journal.close();
  }

  #forgetOwn(state: HandleState | undefined): void {
    if (state === undefined || state.own === null) return;
    void this.#files.release(state.own);
    state.own = new CacheList(state.id, '');
  }
}
