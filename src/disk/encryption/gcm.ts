import { Buffer } from 'node:buffer';
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';

/** All of it at random: no two may be equal under one key. */
export const GCM_IV_BYTES = 16;
export const GCM_TAG_BYTES = 16;

/** AES-256-GCM: the ciphertext, and the tag behind it. https://csrc.nist.gov/pubs/sp/800/38/d/final */
export function gcmSeal(key: KeyObject, iv: Uint8Array, plain: Uint8Array, associated: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: GCM_TAG_BYTES }).setAAD(associated);
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Null: it is not what was sealed with this key, IV and data. */
export function gcmOpen(key: KeyObject, iv: Uint8Array, sealed: Uint8Array, associated: Uint8Array): Buffer | null {
  const end = sealed.length - GCM_TAG_BYTES;
  if (end < 0) return null;
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: GCM_TAG_BYTES }).setAAD(associated).setAuthTag(sealed.subarray(end));
  const plain = decipher.update(sealed.subarray(0, end));
  try {
    decipher.final();
    return plain;
  } catch {
    plain.fill(0);
    return null;
  }
}
