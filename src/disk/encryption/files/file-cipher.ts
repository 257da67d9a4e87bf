import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { KeyObject, webcrypto } from 'node:crypto';
import { giveBack } from '../../../runtime/give-back.ts';
import { hkdf, KEY_BYTES, purposeOf, secretOf } from '../derive.ts';
import type { FileKeys } from './file-keys.ts';
import { type Grid, gridOf, HEADER_BYTES, IV_BYTES, OVERHEAD, TAG_BYTES } from './grid.ts';
import { decodeHeader, encodeHeader, isAuthentic } from './header.ts';
import type { Header, Unreadable } from './header.ts';

const ALGORITHM = 'aes-256-gcm';
const OPTIONS = { authTagLength: TAG_BYTES } as const;
/** Of the block that is being opened: what is passed to a cipher in the same memory again costs no view of other memory. */
const iv = new Uint8Array(IV_BYTES);
const tag = new Uint8Array(TAG_BYTES);

const NO_SALT = new Uint8Array(0);

/**
 * How one file is encrypted: its header, and its blocks. Pure: it knows no disk. Invariants:
 * - each block is authenticated with its number, under keys that only this file has, and only with this size of blocks:
 *   it can stand nowhere else; nor can the file, where it is bound to a place;
 * - nothing of a block is given before all of it was authenticated;
 * - a block may be shorter than its place, see {@link sealShort}: then the rest of its place reads as zeros.
 *
 * AES-256-GCM: https://csrc.nist.gov/pubs/sp/800/38/d/final
 */
export class FileCipher {
  /** As it is in the file, as far as is known. */
  header: Header;
  readonly grid: Grid;
  readonly #key: KeyObject;
  readonly #macKey: KeyObject;
  /** What a block is authenticated with: its number. */
  readonly #place = Buffer.alloc(8);
  #webKey: Promise<webcrypto.CryptoKey> | null = null;

  /** `place`: where the file is, if it is bound to that. @throws HoldfastError key-missing */
  constructor(header: Header, grid: Grid, keys: FileKeys, place: readonly string[] = []) {
    this.header = header;
    this.grid = grid;
    const { key, macKey } = blockKeys(keys.fileKey(header.key, header.salt), header.grid, place);
    this.#key = key;
    this.#macKey = macKey;
  }

  /**
   * The cipher of a file that begins so; or why there is none.
   *
   * @throws HoldfastError key-missing
   */
  static of(bytes: Uint8Array, keys: FileKeys, place: readonly string[] = []): FileCipher | Unreadable {
    const header = decodeHeader(bytes);
    if (typeof header === 'string') return header;
    const grid = gridOf(header.grid);
    if (grid === null) return 'damaged';
    const cipher = new FileCipher(header, grid, keys, place);
    return isAuthentic(bytes.subarray(0, HEADER_BYTES), cipher.#macKey) ? cipher : 'damaged';
  }

  /** Another header of the same file: its size and flags may be others. */
  encodeHeader(header: Header): Uint8Array {
    return encodeHeader(header, this.#macKey);
  }

  /** Writes a block into `out` at `at`, {@link OVERHEAD} bytes more than its content. No IV may ever be used twice. */
  seal(block: number, content: Uint8Array, iv: Uint8Array, out: Uint8Array, at: number): void {
    const cipher = createCipheriv(ALGORITHM, this.#key, iv, OPTIONS).setAAD(this.#placeOf(block));
    const sealed = cipher.update(content);
    cipher.final();
    out.set(iv, at);
    out.set(sealed, at + IV_BYTES);
    out.set(cipher.getAuthTag(), at + IV_BYTES + sealed.length);
    giveBack(sealed);
  }

  /**
   * Fills `out` with a block of less content than it could have. So a file is cut without a moment at which its last
   * block cannot be read: first the block becomes shorter in its place, then its place.
   */
  sealShort(block: number, content: Uint8Array, iv: Uint8Array, out: Uint8Array): void {
    this.seal(block, content, iv, out, 0);
    const missing = out.length - OVERHEAD - content.length;
    out.fill(0, OVERHEAD + content.length);
    if (missing < WIDE) out[out.length - 1] = missing;
    else out.set([missing & 0xff, missing >>> 8, WIDE], out.length - 3);
  }

  /** The content of a block that stands in `bytes` from `at` to `end`, in memory of its own; null when it is not what was written there. */
  open(block: number, bytes: Uint8Array, at = 0, end = bytes.length): Uint8Array | null {
    const size = end - at - OVERHEAD;
    if (size < 0) return null;
    return this.#decrypt(block, bytes, at, size) ?? this.#openUnusual(block, bytes.subarray(at, end), size);
  }

  #openUnusual(block: number, stored: Uint8Array, size: number): Uint8Array | null {
    return this.#openShort(block, stored, size) ?? this.#openHole(stored, size);
  }

  /** The same in another thread; null also where it is one of the blocks that are not whole in their place. */
  async openLater(subtle: webcrypto.SubtleCrypto, block: number, stored: Uint8Array): Promise<Uint8Array | null> {
    const additionalData = Uint8Array.from(this.#placeOf(block));
    const key = await (this.#webKey ??= this.#imported(subtle));
    try {
      return new Uint8Array(await subtle.decrypt({ name: 'AES-GCM', iv: stored.subarray(0, IV_BYTES), additionalData, tagLength: 8 * TAG_BYTES }, key, stored.subarray(IV_BYTES)));
    } catch {
      return null;
    }
  }

  async #imported(subtle: webcrypto.SubtleCrypto): Promise<webcrypto.CryptoKey> {
    const bytes = this.#key.export();
    try {
      return await subtle.importKey('raw', bytes, 'AES-GCM', false, ['decrypt']);
    } finally {
      bytes.fill(0);
    }
  }

  #openShort(block: number, stored: Uint8Array, size: number): Uint8Array | null {
    const last = stored.at(-1) ?? 0;
    const missing = last === WIDE ? (stored.at(-3) ?? 0) + (stored.at(-2) ?? 0) * 256 : last;
    const content = missing === 0 || missing > size ? null : this.#decrypt(block, stored, 0, size - missing);
    if (content === null) return null;
    const padded = new Uint8Array(size);
    padded.set(content);
    return padded;
  }

  #openHole(stored: Uint8Array, size: number): Uint8Array | null {
    return this.header.hasHoles && stored.every((byte) => byte === 0) ? new Uint8Array(size) : null;
  }

  #decrypt(block: number, bytes: Uint8Array, at: number, size: number): Uint8Array | null {
    const start = at + IV_BYTES;
    copyBytes(bytes, at, iv);
    copyBytes(bytes, start + size, tag);
    const decipher = createDecipheriv(ALGORITHM, this.#key, iv, OPTIONS);
    decipher.setAAD(this.#placeOf(block)).setAuthTag(tag);
    const content = decipher.update(bytes.subarray(start, start + size));
    try {
      decipher.final();
      return content;
    } catch {
      return null;
    }
  }

  #placeOf(block: number): Uint8Array {
    this.#place.writeUInt32LE(block % 2 ** 32, 0);
    this.#place.writeUInt32LE(Math.floor(block / 2 ** 32), 4);
    return this.#place;
  }
}

function copyBytes(from: Uint8Array, at: number, into: Uint8Array): void {
  for (let index = 0; index < into.length; index++) into[index] = from[at + index] ?? 0;
}

interface BlockKeys {
  readonly key: KeyObject;
  readonly macKey: KeyObject;
}

/** Those of a file whose key is still held, by what else they are derived of. */
const derivedKeys = new WeakMap<KeyObject, Map<string, BlockKeys>>();

function blockKeys(fileKey: KeyObject, grid: number, place: readonly string[]): BlockKeys {
  const known = derivedKeys.get(fileKey) ?? new Map<string, BlockKeys>();
  derivedKeys.set(fileKey, known);
  const purpose = purposeOf('file blocks', grid, ...place);
  const name = purpose.toString('latin1');
  const keys = known.get(name) ?? derive(fileKey, purpose);
  known.set(name, keys);
  return keys;
}

function derive(fileKey: KeyObject, purpose: Uint8Array): BlockKeys {
  const derived = hkdf(fileKey, NO_SALT, purpose, 2 * KEY_BYTES);
  return { key: secretOf(derived.subarray(0, KEY_BYTES)), macKey: secretOf(derived.subarray(KEY_BYTES)) };
}

/** In the last byte of a short block: the two bytes before it say how much is missing. */
const WIDE = 255;
