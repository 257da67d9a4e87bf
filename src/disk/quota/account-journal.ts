import fs from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { ThreadIdentity } from '../../runtime/identity.ts';
import { randomInteger, randomUuid } from '../../runtime/random.ts';
import { wallClock } from '../../runtime/timers.ts';
import { isDirectory } from '../directories.ts';
import { diskError, systemCode } from '../journal/disk-error.ts';
import { Journal } from '../journal/journal.ts';
import { lockfileSection, type Shared } from '../journal/lockfile.ts';
import type { BucketPlace } from '../place.ts';
import { addJournal, draftPrefix, sweepDrafts } from '../root/late-part.ts';
import { AccountMachine } from './machine.ts';
import type { Verdict } from './machine.ts';
import type { Amounts } from './records.ts';
import { snapshotKinds, writeState } from './snapshot.ts';
import { Tally, weighBucket } from './weigh.ts';

export interface AccountJournalOptions {
  readonly durability?: 'relaxed' | 'strict';
  readonly shared?: Shared | undefined;
  /** Who this realm is. */
  readonly identity: () => ThreadIdentity;
  /** The account turned out to be another one than before: nothing is reserved in it for this realm. May not use it. */
  readonly onReplaced: () => void;
}

const NAME = 'quota';
/** What is being built in a bucket, or was taken away. */

/** Up to so many entries are counted in the turn of whoever makes the account: in about a millisecond. */
const COUNTED_AT_ONCE = 256;

/** A session's sequences end there; long before, it goes on as another one. */
const LAST_SEQUENCE = 2 ** 31;

/** The journal of a bucket's account, with one session of this realm. It is made by `ensure`, and made anew when it is damaged. */
export class AccountJournal {
  readonly #place: BucketPlace;
  readonly #options: AccountJournalOptions;
  #machine = new AccountMachine();
  #journal: Journal<Verdict>;
  #session = randomInteger();
  #sequence = 0;

  /** Does no I/O. */
  constructor(place: BucketPlace, options: AccountJournalOptions) {
    this.#place = place;
    this.#options = options;
    this.#journal = this.#createJournal();
  }

  /** What the account is, as of the last look. */
  get machine(): AccountMachine {
    return this.#machine;
  }

  get session(): number {
    return this.#session;
  }

  /** Bytes that are reserved for this session. */
  get reservation(): number {
    return this.#machine.reservations.get(this.#session)?.bytes ?? 0;
  }

  /** Whether something is there to be opened, which says nothing to anybody where it is gone. */
  get isThere(): boolean {
    return isDirectory(this.#journal.directory);
  }

  /** Whether there is an account. Never throws: one that cannot be read is none. */
  open(): boolean {
    try {
      return this.#journal.open();
    } catch {
      return false;
    }
  }

  /** Reads the news; false while there is no account. @throws HoldfastError when it cannot be read */
  look(): boolean {
    return this.#mending(() => {
      if (!this.#journal.open()) return false;
      this.#journal.catchUp();
      return true;
    });
  }

  /** Makes the account unless it is there. @throws HoldfastError when it cannot be read or written */
  ensure(): void {
    this.#mending(() => {
      if (!this.#journal.open()) this.#create();
    });
  }

  /** Appends a record to an account that is there. @throws HoldfastError */
  append(kind: number, payload: Uint8Array): Verdict {
    if (this.#sequence >= LAST_SEQUENCE && this.reservation === 0) this.#renew();
    this.#sequence += 1;
    return this.#journal.append(kind, this.#session, this.#sequence, payload);
  }

  /** Closes the descriptor; the next use opens it again. */
  suspend(): void {
    this.#journal.suspend();
  }

  /** Removes what killed processes have left of making this journal, or another of the bucket. */
  sweep(): void {
    sweepDrafts(this.#place.path);
  }

  #renew(): void {
    this.#session = randomInteger();
    this.#sequence = 0;
  }

  #createJournal(): Journal<Verdict> {
    const directory = path.join(this.#place.path, NAME);
    const { durability = 'relaxed', shared } = this.#options;
    const { space } = this.#place;
    const encryption = this.#place.encryption?.journal(NAME);
    // Of a full disk its records may have what is kept back: what is removed there is told, and what is reserved was looked at.
    const options = { durability, space, encryption, vital: () => true, onReplaced: this.#options.onReplaced };
    return new Journal(directory, this.#machine, { ...options, ...lockfileSection(directory, shared) });
  }

  /** An account says nothing that is not on the disk: one that makes no sense is counted anew. */
  #mending<T>(body: () => T): T {
    try {
      return body();
    } catch (error) {
      if (!(error instanceof HoldfastError) || error.code !== 'journal-damaged') throw error;
      this.#discard();
      return body();
    }
  }

  /** Whoever comes first takes it away; and only what it was, not what another one has made since. */
  #discard(): void {
    const aside = path.join(this.#place.path, draftPrefix(NAME) + randomUuid());
    try {
      fs.renameSync(this.#journal.directory, aside);
      fs.rmSync(aside, { recursive: true, force: true });
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw diskError(error, 'remove the damaged account', this.#journal.directory);
    }
    this.#journal.close();
    this.#machine = new AccountMachine();
    this.#renew();
    this.#journal = this.#createJournal();
    this.#options.onReplaced();
  }

  #create(): void {
    const { durability, shared } = this.#options;
    const isStrict = durability === 'strict' || shared !== undefined;
    addJournal(this.#place, { name: NAME, isStrict, snapshot: () => [{ kind: snapshotKinds.state, payload: this.#firstState() }] });
  }

  /** What is there already, if that is little; otherwise somebody counts it later. */
  #firstState(): Uint8Array {
    const usage = this.#weighAtOnce();
    const { boot } = this.#options.identity();
    return writeState({
      usage: usage ?? new Map(),
      epoch: 0,
      countedAt: usage === null ? 0 : wallClock(),
      doubtful: usage === null,
      boots: boot === '' ? [] : [boot],
      counting: null,
    });
  }

  #weighAtOnce(): Amounts | null {
    const tally = new Tally();
    let entries = 0;
    try {
      for (const weight of weighBucket(this.#place.path)) {
        tally.add(weight);
        if ((entries += 1) > COUNTED_AT_ONCE) return null;
      }
    } catch {
      // They are being fenced off, or cannot be read: whoever counts later meets it again.
      return null;
    }
    return tally.amounts;
  }
}
