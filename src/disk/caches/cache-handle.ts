import type { CacheList } from './cache-list.ts';
import type { CacheStore } from './cache-store.ts';
import type { CacheEntry, CacheQuery, HeaderList } from './entry.ts';
import { readFound } from './read-found.ts';
import { encodePut, encodeRemove, kinds } from './records.ts';
import type { ResponseDraft } from './response-draft.ts';
import type { StoredResponse } from './response-files.ts';
import type { ResponseHead } from './response-head.ts';

/** Outlives its handle. */
export interface HandleState {
  readonly id: number;
  /** What it goes on with after its cache was deleted. */
  own: CacheList | null;
}

/** A response to put, and by which request it is found. */
export interface CachePut {
  readonly url: string;
  readonly fragment: string;
  readonly headers: HeaderList;
  readonly vary: string | null;
  /** Finished. */
  readonly draft: ResponseDraft;
}

/** One cache as this realm has opened it: the same object for all who have opened it while any of them is there. */
export class CacheHandle {
  readonly state: HandleState;
  readonly #store: CacheStore;

  constructor(store: CacheStore, state: HandleState) {
    this.#store = store;
    this.state = state;
  }

  /** The entries that match, or all, in their order, by now. */
  find(query: CacheQuery | null): CacheEntry[] {
    const list = this.#store.listOf(this.state);
    return query === null ? [...list] : list.find(query);
  }

  /** The responses of entries that match, or of all, `most` of them. */
  read(query: CacheQuery | null, most?: number): StoredResponse[] {
    return readFound(() => this.find(query), (entry) => this.#store.read(entry), most);
  }

  draft(head: ResponseHead): ResponseDraft {
    return this.#store.draft(head);
  }

  finish(draft: ResponseDraft): Promise<void> {
    return this.#store.finish(draft);
  }

  /**
   * Puts all of the responses or none, with one record; each takes the place of those that its request matches. When it
   * throws, the drafts are to be discarded.
   */
  put(puts: readonly CachePut[]): void {
    if (puts.length === 0) return;
    const entries = puts.map(({ draft, ...entry }): CacheEntry => ({ ...entry, file: draft.name, size: draft.size }));
    const drafts = puts.map(({ draft }) => draft);
    this.#store.change(this.state, kinds.put, encodePut(this.state.id, entries), (own) => entries.flatMap((entry) => own.put(entry)), drafts);
  }

  /** Removes the entries that match; whether there were any. */
  remove(query: CacheQuery): boolean {
    if (this.find(query).length === 0) return false;
    return this.#store.change(this.state, kinds.remove, encodeRemove(this.state.id, query), (own) => own.remove(query), []);
  }
}
