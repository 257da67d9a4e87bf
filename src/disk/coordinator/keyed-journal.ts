import path from 'node:path';
import { systemCodeBehind } from '../journal/disk-error.ts';
import type { MapState } from '../map/map-state.ts';
import type { BucketPlace } from '../place.ts';
import { BucketDirectory } from '../root/bucket-directory.ts';
import { isEncrypted } from '../root/encrypted.ts';
import type { Root } from '../root/root.ts';
import { CoordinatorPlace, type CoordinatorKey } from './coordinator-place.ts';
import type { Ledger } from './ledger.ts';
import { OwnedJournal, type OwnedJournalOptions, type Settlement } from './owned-journal.ts';
import type { Alarm, Owner, Turn } from './owned-records.ts';

/**
 * The journal of one coordinator of an encrypted origin, as one realm has it. Where it is depends on the origin's keys, so
 * it is found anew by each look. It keeps, with those of {@link OwnedJournal}, this invariant: whoever owns has a journal
 * in the origin that was there at the claim, at the path that its keys give.
 */
export class KeyedJournal {
  readonly #root: Root;
  readonly #key: CoordinatorKey;
  readonly #options: OwnedJournalOptions;
  readonly #origin: BucketDirectory;
  #found: { readonly at: string; readonly journal: OwnedJournal } | null = null;

  /** Does no I/O. */
  constructor(root: Root, key: CoordinatorKey, options: OwnedJournalOptions) {
    this.#root = root;
    this.#key = key;
    this.#options = options;
    this.#origin = new BucketDirectory(root, key.origin, 'default');
  }

  get map(): MapState {
    return this.#present.map;
  }

  get ledger(): Ledger {
    return this.#present.ledger;
  }

  get alarm(): Alarm | null {
    return this.#present.alarm;
  }

  get epoch(): number {
    return this.#present.epoch;
  }

  get stamp(): number {
    return this.#present.stamp;
  }

  /** After a look that has found it, or a claim. */
  get #present(): OwnedJournal {
    if (this.#found === null) throw new Error('a coordinator is used that was neither found nor claimed');
    return this.#found.journal;
  }

  /** Waits for the key. @throws (rejects) HoldfastError as {@link OwnedJournal.look}; key-missing, key-wrong, key-pending, keys-damaged, not-encrypted */
  async look(): Promise<Owner | null> {
    await this.#origin.encryption?.prepare();
    this.#origin.requirePlain();
    return this.#find()?.look() ?? null;
  }

  /** Null: the origin is not there. */
  #find(): OwnedJournal | null {
    const place = this.#place();
    const at = place === null ? '' : whereIs(place);
    if (this.#found?.at === at) return this.#found.journal;
    this.close();
    this.#found = place && { at, journal: new OwnedJournal(seen(place), this.#options) };
    return this.#found?.journal ?? null;
  }

  #place(): CoordinatorPlace | null {
    try {
      return new CoordinatorPlace(this.#root, this.#key);
    } catch (error) {
      if (systemCodeBehind(error) === 'ENOENT') return null;
      throw error;
    }
  }

  /**
   * As {@link OwnedJournal.claim}; also false where the origin has become another one meanwhile, and where it was encrypted
   * since the coordinator was there: then it has moved, and is looked at again.
   */
  claim(address: string): boolean {
    if (!isEncrypted(path.dirname(this.#origin.path))) this.#origin.ensure();
    const place = this.#place();
    if (place !== null && place.unmoved !== null) {
      place.ensure();
      return false;
    }
    const journal = this.#find();
    return journal !== null && journal.claim(address) && this.#find() === journal;
  }

  settle(turn: Turn): Settlement {
    return this.#present.settle(turn);
  }

  check(): boolean {
    return this.#present.check();
  }

  leave(): void {
    this.#found?.journal.leave();
  }

  close(): void {
    this.#found?.journal.close();
    this.#found = null;
  }
}

/** Two of one path need not have the same keys: one of them is from before. */
function whereIs({ directory, path: at, unmoved }: CoordinatorPlace): string {
  return `${directory}\n${unmoved ?? at}`;
}

/** Where it is now: to look at. */
function seen(place: CoordinatorPlace): BucketPlace {
  const { unmoved, encryption, space } = place;
  return unmoved === null ? place : { path: unmoved, encryption, space, ensure: () => undefined, lost: () => place.lost() };
}

/** The journal of a coordinator, as one realm has it. Does no I/O. */
export function openCoordinator(root: Root, key: CoordinatorKey, options: OwnedJournalOptions): OwnedJournal | KeyedJournal {
  return root.vaults === undefined ? new OwnedJournal(new CoordinatorPlace(root, key), options) : new KeyedJournal(root, key, options);
}
