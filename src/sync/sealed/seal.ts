import { crc32 } from '../../disk/journal/checksum.ts';
import { SIV_BYTES } from '../../disk/encryption/aes-siv.ts';
import type { AesSiv } from '../../disk/encryption/aes-siv.ts';
import { purposeOf } from '../../disk/encryption/derive.ts';
import type { OriginKeys } from '../../disk/encryption/origin-keys.ts';
import { FIRST_SEALED_VERSION, isChecked } from '../sealed-version.ts';

/*
 * What a hub has of an encrypted origin. docs/FORMAT.md, "Encrypted logs", is the same in words.
 *
 *   version, id of the key (4 bytes), tag (16), ciphertext, CRC-32 of all before it (4)
 *
 * The checksum says nothing to whoever has the key; it tells those who have not that this is no accident.
 */
const VERSION = FIRST_SEALED_VERSION;
const KEY_ID = 1;
const SEALED = KEY_ID + 4;
const CHECK_BYTES = 4;

/** What sealing adds. */
export const SEAL_BYTES = SEALED + SIV_BYTES + CHECK_BYTES;

/** What something is, and where: nothing opens as anything else, or anywhere else. */
export type Kind = readonly ['entry'] | readonly ['snapshot', position: number] | readonly ['blob'];

/** What is wrong with bytes before any key is asked for. */
export type Flaw = 'plain' | 'newer' | 'changed';

/** The id of the key that bytes were sealed with, or why there is none. */
export function keyIdOf(bytes: Uint8Array): number | Flaw {
  const [version = 0] = bytes;
  if (version < FIRST_SEALED_VERSION) return 'plain';
  if (bytes.length < SEAL_BYTES || !isChecked(bytes)) return 'changed';
  return version === VERSION ? new DataView(bytes.buffer, bytes.byteOffset).getUint32(KEY_ID, true) : 'newer';
}

/** How one log of a hub is encrypted, with the keys that its regions share. */
export class Seal {
  readonly #log: string;
  /** By the ids of their keys. A key never becomes another one. */
  readonly #ciphers = new Map<number, AesSiv>();

  /** `log`: which one, by a name that the hub does not see. */
  constructor(log: string) {
    this.#log = log;
  }

  /** @throws HoldfastError key-missing */
  seal(plain: Uint8Array, kind: Kind, keys: OriginKeys, keyId = keys.activeId): Uint8Array {
    const end = SEALED + SIV_BYTES + plain.length;
    const bytes = new Uint8Array(end + CHECK_BYTES);
    const view = new DataView(bytes.buffer);
    bytes[0] = VERSION;
    view.setUint32(KEY_ID, keyId, true);
    this.#cipher(keys, keyId).seal(plain, bytes, SEALED, associatedWith(bytes, kind));
    view.setUint32(end, crc32(bytes, 0, end), true);
    return bytes;
  }

  /** Null: it is not what was sealed as that. `keyId`: as `keyIdOf`. @throws HoldfastError key-missing */
  open(bytes: Uint8Array, kind: Kind, keys: OriginKeys, keyId: number): Uint8Array | null {
    const sealed = bytes.subarray(SEALED, bytes.length - CHECK_BYTES);
    const plain = new Uint8Array(sealed.length - SIV_BYTES);
    return this.#cipher(keys, keyId).open(sealed, plain, associatedWith(bytes, kind)) ? plain : null;
  }

  #cipher(keys: OriginKeys, keyId: number): AesSiv {
    const known = this.#ciphers.get(keyId);
    if (known !== undefined) return known;
    const cipher = keys.logCipher(keyId, this.#log);
    this.#ciphers.set(keyId, cipher);
    return cipher;
  }
}

function associatedWith(bytes: Uint8Array, [what, ...where]: Kind): Uint8Array[] {
  return [bytes.subarray(0, SEALED), purposeOf(what, ...where)];
}
