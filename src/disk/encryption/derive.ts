import { Buffer } from 'node:buffer';
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';

/** Bytes of a root key, and of each data key. */
export const KEY_BYTES = 32;

const HASH_BYTES = 32;

/**
 * HKDF with SHA-256. The caller wipes the result.
 *
 * @param info - what the bytes are for: parts that cannot be taken for other ones, see {@link purposeOf}
 * @param length - at most 8,160
 * https://www.rfc-editor.org/rfc/rfc5869
 */
export function hkdf(key: KeyObject, salt: Uint8Array, info: Uint8Array, length: number): Buffer {
  const secret = key.export();
  const seed = createHmac('sha256', salt).update(secret).digest();
  secret.fill(0);
  const out = Buffer.alloc(Math.ceil(length / HASH_BYTES) * HASH_BYTES);
  let block: Uint8Array = new Uint8Array(0);
  for (let index = 0; index * HASH_BYTES < length; index++) {
    block = createHmac('sha256', seed).update(block).update(info).update(Uint8Array.of(index + 1)).digest();
    out.set(block, index * HASH_BYTES);
  }
  seed.fill(0);
  out.fill(0, length);
  return out.subarray(0, length);
}

/** The same, as a key. */
export function deriveKey(key: KeyObject, salt: Uint8Array, info: Uint8Array): KeyObject {
  return secretOf(hkdf(key, salt, info, KEY_BYTES));
}

/** A key of bytes that are wiped here. */
export function secretOf(bytes: Uint8Array): KeyObject {
  const secret = createSecretKey(bytes);
  bytes.fill(0);
  return secret;
}

/** What a key is derived for: `holdfast`, the word, and each of the rest behind its length. */
export function purposeOf(word: string, ...rest: readonly (string | number)[]): Buffer {
  return Buffer.concat(['holdfast', word, ...rest].map((part) => withLength(Buffer.from(String(part), 'utf8'))));
}

function withLength(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}
