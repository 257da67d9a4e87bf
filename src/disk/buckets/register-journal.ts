import path from 'node:path';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { randomInteger } from '../../runtime/random.ts';
import { Journal, type JournalOptions } from '../journal/journal.ts';
import { lockfileSection, type Shared } from '../journal/lockfile.ts';
import type { BucketPlace } from '../place.ts';
import { addJournal } from '../root/late-part.ts';
import { RegisterMachine, type RegisterOutcome } from './machine.ts';
import { encodeState, kinds, snapshotKinds } from './records.ts';

export interface RegisterJournalOptions extends Pick<JournalOptions, 'onCompaction'> {
  readonly shared?: Shared | undefined;
}

const NAME = 'register';

/** Few records are short. */
const COMPACT_AT = 2 ** 16;

/** A session's sequences end there; long before, it goes on as another one. */
const LAST_SEQUENCE = 2 ** 31;

/** Those that remove, or say that something was removed. */
const VITAL: ReadonlySet<number> = new Set([kinds.delete, kinds.tick, kinds.cleared]);

/**
 * The journal of an origin's buckets, in `register/` of its default one, with one session of this realm. Whatever the
 * durability it is on the disk before a record of it counts: a bucket that is there after all, or is not, is no detail.
 */
export class RegisterJournal {
  readonly machine = new RegisterMachine();
  readonly #home: BucketPlace;
  readonly #journal: Journal<RegisterOutcome>;
  #session = randomInteger();
  #sequence = 0;

  /** Does no I/O. */
  constructor(home: BucketPlace, { shared, ...options }: RegisterJournalOptions) {
    this.#home = home;
    const directory = path.join(home.path, NAME);
    this.#journal = new Journal(directory, this.machine, {
      durability: 'strict',
      compactAt: COMPACT_AT,
      ...options,
      ...lockfileSection(directory, shared),
      space: home.space,
      encryption: home.encryption?.journal(NAME),
      vital: (kind) => VITAL.has(kind),
      onReplaced: () => home.lost?.(),
    });
  }

  /** The directory to watch for news. */
  get directory(): string {
    return this.#journal.directory;
  }

  /** Reads the news; false while there is no register. @throws HoldfastError when it cannot be read */
  look(): boolean {
    return this.#journal.catchUp();
  }

  distrust(): void {
    this.#journal.distrust();
  }

  /** Makes it unless it is there. @throws HoldfastError when the bucket cannot be written */
  ensure(): void {
    if (this.#journal.catchUp()) return;
    addJournal(this.#home, { name: NAME, isStrict: true, snapshot: () => [{ kind: snapshotKinds.state, payload: encodeState() }] });
    if (!this.#journal.catchUp()) throw new HoldfastError('disk-failed', `The register in ${this.#home.path} was removed while it was made.`);
  }

  /** Appends a record to a register that is there. @throws HoldfastError */
  append(kind: number, payload: Uint8Array): RegisterOutcome {
    if (this.#sequence >= LAST_SEQUENCE) this.#renew();
    this.#sequence += 1;
    return this.#journal.append(kind, this.#session, this.#sequence, payload);
  }

  suspend(): void {
    this.#journal.suspend();
  }

  close(): void {
    this.#journal.close();
  }

  #renew(): void {
    this.#session = randomInteger();
    this.#sequence = 0;
  }
}
