import fs from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { randomInteger } from '../../runtime/random.ts';
import { isLink } from '../directories.ts';
import { Journal, type JournalOptions } from '../journal/journal.ts';
import { lockfileSection, type Shared } from '../journal/lockfile.ts';
import type { BucketPlace } from '../place.ts';
import { addPart, sweepDrafts } from '../root/late-part.ts';
import { CacheMachine, type CacheOutcome } from './machine.ts';
import { encodeState, kinds, snapshotKinds } from './records.ts';

export interface CacheJournalOptions extends Pick<JournalOptions, 'durability' | 'compactAt' | 'onCompaction'> {
  readonly shared?: Shared | undefined;
}

const NAME = 'caches';
const INDEX = `${NAME}/index`;

/** Bytes: a compaction syncs, and writes all entries anew. */
const COMPACT_AT = 2 ** 21;

/** A session's sequences end there; long before, it goes on as another one. */
const LAST_SEQUENCE = 2 ** 31;

/** The journal of a bucket's caches, with one session of this realm, in `caches/index`. It is made by {@link ensure}, with the directory of responses. */
export class CacheJournal {
  readonly machine = new CacheMachine();
  readonly #place: BucketPlace;
  readonly #isStrict: boolean;
  readonly #journal: Journal<CacheOutcome>;
  #session = randomInteger();
  #sequence = 0;
  /** Whether it was seen that no link leads elsewhere. */
  #isInPlace = false;

  /** Does no I/O. */
  constructor(place: BucketPlace, { shared, ...options }: CacheJournalOptions) {
    this.#place = place;
    this.#isStrict = options.durability === 'strict' || shared !== undefined;
    const directory = path.join(place.path, INDEX);
    this.#journal = new Journal(directory, this.machine, {
      compactAt: COMPACT_AT,
      ...options,
      ...lockfileSection(directory, shared),
      space: place.space,
      encryption: place.encryption?.journal(INDEX),
      vital: (kind) => kind === kinds.delete || kind === kinds.remove,
      onReplaced: () => {
        this.#isInPlace = false;
        place.lost?.();
      },
    });
  }

  /** The bucket's `caches/`. */
  get directory(): string {
    return path.join(this.#place.path, NAME);
  }

  get responses(): string {
    return path.join(this.directory, 'responses');
  }

  get session(): number {
    return this.#session;
  }

  /** Reads the news; false while there are no caches. @throws HoldfastError when they cannot be read */
  look(): boolean {
    this.#requireInPlace();
    return this.#journal.catchUp();
  }

  /** Nothing is read, made or deleted where a link leads. */
  #requireInPlace(): void {
    if (this.#isInPlace) return;
    for (const place of [this.directory, this.responses]) {
      if (isLink(place)) throw new HoldfastError('journal-damaged', `The caches are not used: ${place} is a symbolic link.`);
    }
    this.#isInPlace = this.#journal.open();
  }

  /** Makes what is not there. @throws HoldfastError when the bucket cannot be written */
  ensure(): void {
    // Whoever made the bucket may not have waited until the disk had its name.
    if (this.#isStrict || !this.#journal.open()) this.#place.ensure();
    this.#requireInPlace();
    if (!this.#journal.open()) this.#create();
  }

  /** Appends a record. @throws HoldfastError */
  append(kind: number, payload: Uint8Array): CacheOutcome {
    if (this.#sequence >= LAST_SEQUENCE) this.#renew();
    this.#sequence += 1;
    return this.#journal.append(kind, this.#session, this.#sequence, payload);
  }

  suspend(): void {
    this.#isInPlace = false;
    this.#journal.suspend();
  }

  close(): void {
    this.machine.listener = null;
    this.#journal.close();
  }

  #renew(): void {
    this.#session = randomInteger();
    this.#sequence = 0;
  }

  /** With the directory of responses. */
  #create(): void {
    const build = (draft: string): void => {
      fs.mkdirSync(draft, { mode: 0o700 });
      fs.mkdirSync(path.join(draft, 'responses'), { mode: 0o700 });
      Journal.create(path.join(draft, 'index'), [{ kind: snapshotKinds.state, payload: encodeState(1) }], this.#place.encryption?.journal(INDEX));
    };
    addPart(this.#place, { name: NAME, isStrict: this.#isStrict, build });
  }

  /** Removes what killed processes have left of making it. @throws the operating system's error */
  sweep(): void {
    sweepDrafts(this.#place.path);
  }
}
