import type { OriginKeys } from '../../disk/encryption/origin-keys.ts';
import { PLAIN, type JournalCipher, type JournalEncryption } from '../../disk/journal/journal-cipher.ts';
import type { Magic } from '../../disk/journal/magic.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { Vault } from './vault.ts';

/** Attempts at encrypting a journal that others go on writing to. */
const CONVERSIONS = 16;

/** One journal of an origin, with whichever keys the origin has now. */
export class VaultJournal implements JournalEncryption {
  readonly #vault: Vault;
  readonly #purpose: string;
  /** The last one, for a journal that is closed and opened again. */
  #last: { readonly keys: OriginKeys; readonly keyId: number; readonly magic: Magic; readonly cipher: JournalCipher } | null = null;

  constructor(vault: Vault, purpose: string) {
    this.#vault = vault;
    this.#purpose = purpose;
  }

  get activeId(): number {
    return (this.#vault.held ?? this.#vault.keys).activeId;
  }

  convert(journal: { readonly keyId: number }, moveOn: () => void): void {
    for (let attempt = 0; journal.keyId === PLAIN; attempt++) {
      if (attempt === CONVERSIONS) throw new HoldfastError('disk-failed', `The journal ${this.#purpose} of ${this.#vault.origin} could not be encrypted: others without a key write to it all the time.`);
      moveOn();
    }
  }

  look(): number {
    this.#vault.refresh();
    return this.activeId;
  }

  cipherFor(keyId: number, magic: Magic, file: string): JournalCipher | null {
    this.#vault.refresh();
    if (keyId === PLAIN) {
      this.#vault.requirePlainAllowed(file);
      return null;
    }
    const { keys } = this.#vault;
    const last = this.#last;
    if (last?.keyId === keyId && last.keys === keys && last.magic.equals(magic)) return last.cipher;
    const cipher = keys.journalCipher(keyId, magic.bytes, this.#purpose, file);
    this.#last = { keys, keyId, magic, cipher };
    return cipher;
  }
}
