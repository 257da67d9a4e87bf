import type { JournalRecord } from './machine.ts';
import type { Magic } from './magic.ts';

/** The id of the key of a generation that is not encrypted. */
export const PLAIN = 0;

/**
 * Encrypts and opens the payloads of one generation; a frame, its checksums and what it says of kind, session and
 * sequence stay as they are, so that whoever has no key can still tell whole frames from torn ones.
 * docs/FORMAT.md, "Encrypted generations".
 */
export interface JournalCipher {
  /** @returns the record as it is written; valid until the next call. @throws HoldfastError `record-too-large` */
  seal(record: JournalRecord): JournalRecord;
  /**
   * The payload that was sealed, valid until the next call.
   *
   * @param number - of a record of a snapshot: it must bear that one
   * @throws HoldfastError `journal-damaged` where the frame was changed, or comes from elsewhere
   */
  open(frame: JournalRecord, number?: number): Uint8Array;
}

/** The keys of a journal. Asked whenever a generation is opened or made; may differ from one time to the next. */
export interface JournalEncryption {
  /**
   * What new generations are encrypted with, as of the last look; never {@link PLAIN}.
   *
   * @throws HoldfastError `key-pending`, `key-wrong`, `key-missing`, `keys-damaged`, `not-encrypted`
   */
  readonly activeId: number;
  /**
   * Has a journal from before it was encrypted move on to where it is.
   *
   * @param moveOn - compacts it, unless others did or are too fast
   * @throws HoldfastError `disk-failed` when others go on to write to it without a key; what `moveOn` throws
   */
  convert(journal: { readonly keyId: number }, moveOn: () => void): void;
  /** Looks whether other keys are there now, which costs a system call. @returns as `activeId` @throws the same */
  look(): number;
  /**
   * What opens a generation that bears the id of this key; null for {@link PLAIN}, where that may be. Refreshes.
   *
   * @throws HoldfastError as `activeId`; `key-missing` for an id that nobody knows
   */
  cipherFor(keyId: number, magic: Magic, path: string): JournalCipher | null;
}
