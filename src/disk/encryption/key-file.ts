import { Buffer } from 'node:buffer';
import { createHmac, type KeyObject } from 'node:crypto';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { crc32 } from '../journal/checksum.ts';
import { FLAGS, IDENTIFIER, STORED } from '../root/key-file-head.ts';
import { AesSiv, equalBlocks, SIV_BYTES } from './aes-siv.ts';
import { hkdf, KEY_BYTES, purposeOf, secretOf } from './derive.ts';
import { entropy } from './entropy.ts';

/* The layout is in docs/FORMAT.md, "Keys". */
const FIRST = Buffer.from(IDENTIFIER, 'latin1');
const FORMAT_VERSION = 1;
const VERSION = 8;
const ACTIVE = 12;
const SALT = 20;
export const SALT_BYTES = 32;
const ROOT_CHECK = SALT + SALT_BYTES;
const CHECK_BYTES = 16;
const COUNT = ROOT_CHECK + CHECK_BYTES;
const KMS_LENGTH = COUNT + 2;
const HEADER_BYTES = KMS_LENGTH + 2;
const ID_BYTES = 4;
const WRAPPED_BYTES = KEY_BYTES + SIV_BYTES;
const ENTRY_BYTES = ID_BYTES + WRAPPED_BYTES + CHECK_BYTES;
const CODE_BYTES = 32;
const CHECKSUM_BYTES = 4;

/** The most keys that a file may have, and the most bytes of what a KMS has wrapped. */
export const MOST_KEYS = 256;
export const MOST_KMS_BYTES = 16_384;
/** No key file is longer. */
export const MOST_BYTES = HEADER_BYTES + MOST_KMS_BYTES + MOST_KEYS * ENTRY_BYTES + CODE_BYTES + CHECKSUM_BYTES;

export const VISIBLE_NAMES = 1;
export const MIGRATING = 2;
const KNOWN_FLAGS = VISIBLE_NAMES | MIGRATING | STORED;

/** The keys of an origin, as its key file has them. */
export interface KeyFile {
  readonly active: number;
  readonly flags: number;
  /** By their ids; 0 is that of names, which is never replaced. */
  readonly keys: ReadonlyMap<number, KeyObject>;
  /** What a KMS has made of the root key, or the names of it in a store; empty where there is neither. */
  readonly kms: Uint8Array;
}

/** What is known of a key file without any key. */
export interface SealedKeyFile {
  readonly bytes: Buffer;
  readonly active: number;
  readonly flags: number;
  readonly salt: Uint8Array;
  readonly kms: Uint8Array;
}

function damaged(origin: string, why: string): HoldfastError {
  return new HoldfastError('keys-damaged', `The keys of ${origin} are damaged: ${why}. Restore the file 'keys' of the origin from a backup.`);
}

/** @throws HoldfastError `keys-damaged`, `root-newer` */
export function parseKeyFile(given: Uint8Array, origin: string): SealedKeyFile {
  const bytes = Buffer.from(given);
  const end = bytes.length - CHECKSUM_BYTES;
  if (bytes.length < HEADER_BYTES + CODE_BYTES + CHECKSUM_BYTES || bytes.length > MOST_BYTES) throw damaged(origin, `they take ${bytes.length} bytes`);
  if (!bytes.subarray(0, FIRST.length).equals(FIRST)) throw damaged(origin, 'they do not start as keys do');
  if (crc32(bytes, 0, end) !== bytes.readUInt32LE(end)) throw damaged(origin, 'their checksum is wrong');
  const version = bytes.readUInt32LE(VERSION);
  const flags = bytes.readUInt32LE(FLAGS);
  if (version > FORMAT_VERSION || flags > KNOWN_FLAGS) throw new HoldfastError('root-newer', `The keys of ${origin} were written by a newer version of Holdfast.`);
  const kmsLength = bytes.readUInt16LE(KMS_LENGTH);
  const count = bytes.readUInt16LE(COUNT);
  if (kmsLength > MOST_KMS_BYTES || count > MOST_KEYS) throw damaged(origin, 'they have too many parts');
  if (HEADER_BYTES + kmsLength + count * ENTRY_BYTES + CODE_BYTES !== end) throw damaged(origin, 'their length is wrong');
  return {
    bytes,
    active: bytes.readUInt32LE(ACTIVE),
    flags,
    salt: bytes.subarray(SALT, SALT + SALT_BYTES),
    kms: bytes.subarray(HEADER_BYTES, HEADER_BYTES + kmsLength),
  };
}

/** Whether a root key is the one that the file was made with; known without opening anything by it. */
export function isKeyOf(rootKey: KeyObject, file: SealedKeyFile, origin: string): boolean {
  return equalBlocks(rootCheck(rootKey, file.salt, origin), file.bytes.subarray(ROOT_CHECK, ROOT_CHECK + CHECK_BYTES));
}

/**
 * Unwraps all keys.
 *
 * @param rootKey - one of which {@link isKeyOf} is true
 * @throws HoldfastError `keys-damaged`: something was changed, be it with all checksums repaired
 */
export function openKeyFile(rootKey: KeyObject, file: SealedKeyFile, origin: string): KeyFile {
  const { bytes, salt, active, flags, kms } = file;
  const code = bytes.length - CHECKSUM_BYTES - CODE_BYTES;
  if (!equalBlocks(codeOf(rootKey, salt, origin, bytes.subarray(0, code)), bytes.subarray(code, code + CODE_BYTES))) throw damaged(origin, 'they were changed');
  const wrap = wrapCipher(rootKey, salt, origin);
  const keys = new Map<number, KeyObject>();
  for (let at = HEADER_BYTES + kms.length; at < code; at += ENTRY_BYTES) {
    const id = bytes.readUInt32LE(at);
    keys.set(id, unwrap(wrap, bytes.subarray(at, at + ENTRY_BYTES), salt, origin));
  }
  if (active === NAMES_ID || !keys.has(active) || !keys.has(NAMES_ID)) throw damaged(origin, `a key that is needed is not among them`);
  return { active, flags, keys, kms };
}

/** The key for names: as long as an origin lives. */
export const NAMES_ID = 0;

function unwrap(wrap: AesSiv, entry: Buffer, salt: Uint8Array, origin: string): KeyObject {
  const id = entry.readUInt32LE(0);
  const bytes = new Uint8Array(KEY_BYTES);
  if (!wrap.open(entry.subarray(ID_BYTES, ID_BYTES + WRAPPED_BYTES), bytes, associatedWith(origin, id))) throw damaged(origin, `key ${id} was changed`);
  const key = secretOf(bytes);
  if (!equalBlocks(keyCheck(key, salt, origin, id), entry.subarray(ID_BYTES + WRAPPED_BYTES))) throw damaged(origin, `key ${id} is not the one that was wrapped`);
  return key;
}

/** The bytes of a key file, with a new salt each time. */
export function sealKeyFile(rootKey: KeyObject, { active, flags, keys, kms }: KeyFile, origin: string): Buffer {
  const salt = entropy(SALT_BYTES);
  const code = HEADER_BYTES + kms.length + keys.size * ENTRY_BYTES;
  const bytes = Buffer.alloc(code + CODE_BYTES + CHECKSUM_BYTES);
  bytes.set(FIRST);
  bytes.writeUInt32LE(FORMAT_VERSION, VERSION);
  bytes.writeUInt32LE(active, ACTIVE);
  bytes.writeUInt32LE(flags, FLAGS);
  bytes.set(salt, SALT);
  bytes.set(rootCheck(rootKey, salt, origin), ROOT_CHECK);
  bytes.writeUInt16LE(keys.size, COUNT);
  bytes.writeUInt16LE(kms.length, KMS_LENGTH);
  bytes.set(kms, HEADER_BYTES);
  const wrap = wrapCipher(rootKey, salt, origin);
  let at = HEADER_BYTES + kms.length;
  for (const [id, key] of keys) {
    bytes.writeUInt32LE(id, at);
    const plain = key.export();
    wrap.seal(plain, bytes, at + ID_BYTES, associatedWith(origin, id));
    plain.fill(0);
    bytes.set(keyCheck(key, salt, origin, id), at + ID_BYTES + WRAPPED_BYTES);
    at += ENTRY_BYTES;
  }
  bytes.set(codeOf(rootKey, salt, origin, bytes.subarray(0, code)), code);
  bytes.writeUInt32LE(crc32(bytes, 0, code + CODE_BYTES), code + CODE_BYTES);
  return bytes;
}

function rootCheck(rootKey: KeyObject, salt: Uint8Array, origin: string): Buffer {
  return hkdf(rootKey, salt, purposeOf('root-check', origin), CHECK_BYTES);
}

/** A key that opens what another has sealed would go unnoticed without this: authenticated encryption does not commit to its key. */
function keyCheck(key: KeyObject, salt: Uint8Array, origin: string, id: number): Buffer {
  return hkdf(key, salt, purposeOf('key-check', origin, id), CHECK_BYTES);
}

function wrapCipher(rootKey: KeyObject, salt: Uint8Array, origin: string): AesSiv {
  const key = hkdf(rootKey, salt, purposeOf('wrap', origin), 64);
  const cipher = new AesSiv(key);
  key.fill(0);
  return cipher;
}

function codeOf(rootKey: KeyObject, salt: Uint8Array, origin: string, bytes: Uint8Array): Buffer {
  const key = hkdf(rootKey, salt, purposeOf('key-file', origin), KEY_BYTES);
  const code = createHmac('sha256', key).update(bytes).digest();
  key.fill(0);
  return code;
}

function associatedWith(origin: string, id: number): Uint8Array[] {
  return [Buffer.from(origin, 'utf8'), purposeOf('data-key', id)];
}
