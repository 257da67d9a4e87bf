import { Buffer } from 'node:buffer';
import type { KeyObject } from 'node:crypto';
import fs from 'node:fs';
import { KEY_BYTES } from '../../disk/encryption/derive.ts';
import { bad } from '../option-checks.ts';
import { requireKey, type EncryptionOptions } from './options.ts';

type KeyOptions = EncryptionOptions & { readonly key: KeyObject };

/** The keys that came by pipes, by name: who asks again, as the globals do at the first use, finds nothing in one. */
const piped = new Map<string, KeyOptions>();

/** The longest text of a key, with plenty of white space around it. */
const MOST_BYTES = 1024;

/**
 * The options that a file with a key stands for: 32 bytes, or as text 64 hexadecimal digits or base64 of them, with
 * white space around it.
 *
 * @param what - who has named the file, for messages
 * @throws HoldfastError bad-option, without anything of what is in the file
 */
export function encryptionFrom(file: string, what = 'HOLDFAST_KEY_FILE'): KeyOptions {
  const before = piped.get(file);
  if (before !== undefined) return before;
  let bytes: Buffer;
  let isPipe: boolean;
  try {
    ({ bytes, isPipe } = beginningOf(file));
  } catch (cause) {
    throw bad(`The file '${file}' of ${what} cannot be read.`, cause);
  }
  const text = bytes.length > MOST_BYTES ? '' : bytes.toString('latin1').trim();
  const key = bytes.length === KEY_BYTES ? bytes : decoded(text);
  if (key === null) throw bad(`The file '${file}' of ${what} has no key: ${KEY_BYTES} bytes, or 64 hexadecimal digits, or base64 of so many bytes.`);
  const options = { key: requireKey(Uint8Array.from(key), what) };
  bytes.fill(0);
  key.fill(0);
  if (isPipe) piped.set(file, options);
  return options;
}

/** As much as a key may take, and a byte: a pipe can be read only once, and a device has no end. */
function beginningOf(file: string): { readonly bytes: Buffer; readonly isPipe: boolean } {
  const bytes = Buffer.alloc(MOST_BYTES + 1);
  const descriptor = fs.openSync(file, 'r');
  try {
    let length = 0;
    for (let count = -1; count !== 0 && length < bytes.length; length += count) count = fs.readSync(descriptor, bytes, length, bytes.length - length, null);
    return { bytes: bytes.subarray(0, length), isPipe: fs.fstatSync(descriptor).isFIFO() };
  } finally {
    fs.closeSync(descriptor);
  }
}

function decoded(text: string): Buffer | null {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  const bytes = /^[A-Za-z0-9+/_-]{43}=?$/.test(text) ? Buffer.from(text, 'base64') : null;
  return bytes?.length === KEY_BYTES ? bytes : null;
}
