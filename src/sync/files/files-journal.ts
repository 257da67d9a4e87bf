import path from 'node:path';
import { Journal } from '../../disk/journal/journal.ts';
import type { JournalOptions } from '../../disk/journal/journal.ts';
import { DirectoryWatch } from '../../disk/journal/directory-watch.ts';
import type { BucketPlace } from '../../disk/place.ts';
import type { Replica } from '../../disk/replica/replica.ts';
import type { ReplicaJournal } from '../../disk/replica/replica-journal.ts';
import { addJournal } from '../../disk/root/late-part.ts';
import { encodePlaced } from './applied.ts';
import type { Placed } from './applied.ts';
import { encodeChange } from './change.ts';
import type { Change } from './change.ts';
import { FilesMachine } from './files-machine.ts';
import type { FilesListener } from './files-machine.ts';
import { APPLIED, encodeLocal, LOCAL } from './files-records.ts';

const NAME = 'files-sync';

export interface FilesJournalOptions extends Pick<JournalOptions, 'durability' | 'exclusively' | 'compactAt' | 'onCompaction'> {
  /** A random integer in [1, 2^53) that nothing else has written with: the versions of files bear it. */
  readonly session: number;
}

/**
 * The journal of an origin's synced files: the replica of the hub's order, and what of it is on this disk. It is made
 * by the first record; until then the replica is not active.
 */
export class FilesJournal implements ReplicaJournal {
  readonly #place: BucketPlace;
  readonly #machine = new FilesMachine();
  readonly #journal: Journal<boolean>;
  readonly #options: FilesJournalOptions;
  #sequence = 0;

  /** Does no I/O. */
  constructor(place: BucketPlace, options: FilesJournalOptions) {
    this.#place = place;
    this.#options = options;
    this.#journal = new Journal(path.join(place.path, NAME), this.#machine, { ...options, encryption: place.encryption?.journal(NAME), onReplaced: () => place.lost?.() });
  }

  current(): Replica {
    return this.state().replica;
  }

  /** The same, with what is known of the disk. */
  state(): FilesMachine {
    this.#journal.catchUp();
    return this.#machine;
  }

  /** As of the last time that anybody looked. */
  get known(): FilesMachine {
    return this.#machine;
  }

  listen(listener: FilesListener | null): void {
    this.#machine.listener = listener;
  }

  append(kind: number, payload: Uint8Array): void {
    this.#append(kind, payload);
  }

  /**
   * Makes what was found on the disk pending.
   *
   * @returns whether it is now: not so when the disk was known to be at other versions, which another process found
   */
  appendLocal(change: Change, fingerprints: readonly string[]): boolean {
    return this.#append(LOCAL, encodeLocal({ change: encodeChange(change), fingerprints }));
  }

  /** Notes what is on the disk. */
  appendApplied(lines: readonly Placed[]): void {
    if (lines.length > 0) this.#append(APPLIED, encodePlaced(lines));
  }

  #append(kind: number, payload: Uint8Array): boolean {
    if (!this.#journal.open()) this.#create();
    this.#sequence += 1;
    return this.#journal.append(kind, this.#options.session, this.#sequence, payload);
  }

  #create(): void {
    const { durability, exclusively } = this.#options;
    addJournal(this.#place, { name: NAME, isStrict: durability === 'strict' || exclusively !== undefined, snapshot: () => [] });
  }

  watch(onNews: () => void): () => void {
    const watch = new DirectoryWatch(this.#journal.directory, onNews, {
      looksToo: this.#options.exclusively !== undefined,
      onReplaced: () => this.#journal.distrust(),
    });
    return () => watch.close();
  }

  /** For good. */
  close(): void {
    this.#machine.listener = null;
    this.#journal.close();
  }
}
