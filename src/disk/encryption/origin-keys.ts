import { Buffer } from 'node:buffer';
import { createHash, createHmac, type KeyObject } from 'node:crypto';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { JournalCipher } from '../journal/journal-cipher.ts';
import { AesSiv, SIV_BYTES } from './aes-siv.ts';
import { deriveKey, hkdf, KEY_BYTES, purposeOf, secretOf } from './derive.ts';
import { entropy } from './entropy.ts';
import { MIGRATING, MOST_KEYS, NAMES_ID, VISIBLE_NAMES, type KeyFile } from './key-file.ts';
import { STORED } from '../root/key-file-head.ts';
import { requireKnownAnswers } from './self-test.ts';
import { SivJournalCipher } from './siv-journal-cipher.ts';

const NO_SALT = new Uint8Array(KEY_BYTES);

/** Bytes of the salt of a file's key. */
export const FILE_SALT_BYTES = 24;

/** Keys of files that are kept: who looks at a file opens it several times. */
const KEPT_FILES = 64;

const LOG_NAME_BYTES = 16;

const STUB_VERSION = 1;
const STUB_HEAD_BYTES = 5;
/** What tells the key is in so many bytes. */
export const LEAST_STUB_BYTES = STUB_HEAD_BYTES + SIV_BYTES;

/** The id of the key of what {@link OriginKeys.sealStub} made; null for what it did not. */
export function stubKeyOf(bytes: Uint8Array): number | null {
  if (bytes[0] !== STUB_VERSION || bytes.length < LEAST_STUB_BYTES || isPlainStub(bytes)) return null;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(1, true);
}

/** One from before the origin was encrypted has the SHA-256 of itself at its end. */
function isPlainStub(bytes: Uint8Array): boolean {
  const end = bytes.length - 32;
  return end > 0 && createHash('sha256').update(bytes.subarray(0, end)).digest().equals(bytes.subarray(end));
}

/**
 * The data keys of an origin, and what is derived of them. Never changed: another state of the key file is another object.
 *
 * - A key is looked up by its id, never tried.
 * - Keys are KeyObjects in private fields: neither `inspect`, nor JSON, nor an error shows anything of them.
 */
export class OriginKeys {
  readonly origin: string;
  readonly #file: KeyFile;
  /** Of the files that were used last, the least recently used first. */
  readonly #fileKeys = new Map<string, KeyObject>();

  constructor(origin: string, file: KeyFile) {
    requireKnownAnswers();
    this.origin = origin;
    this.#file = file;
  }

  /** Keys of an origin that has none yet. */
  static create(origin: string, { visibleNames, isMigrating, kms }: { readonly visibleNames: boolean; readonly isMigrating: boolean; readonly kms: Uint8Array }): OriginKeys {
    const keys = new Map([NAMES_ID, 1].map((id) => [id, secretOf(entropy(KEY_BYTES))]));
    const flags = (visibleNames ? VISIBLE_NAMES : 0) | (isMigrating ? MIGRATING : 0);
    return new OriginKeys(origin, { active: 1, flags, keys, kms });
  }

  /** What the key file is made of. */
  get file(): KeyFile {
    return this.#file;
  }

  /** The id of the key that everything new is encrypted with. */
  get activeId(): number {
    return this.#file.active;
  }

  /** The id of the first one: the same for all who ask, whether or not they know of a newer one yet. */
  get oldestId(): number {
    return Math.min(...this.ids);
  }

  /** The ids of all data keys. */
  get ids(): number[] {
    return [...this.#file.keys.keys()].filter((id) => id !== NAMES_ID);
  }

  /** Whether names of files may be read without a key. */
  get visibleNames(): boolean {
    return (this.#file.flags & VISIBLE_NAMES) !== 0;
  }

  /** Whether there may be data from before the origin was encrypted. */
  get isMigrating(): boolean {
    return (this.#file.flags & MIGRATING) !== 0;
  }

  /** Nothing plain is left. */
  migrated(): OriginKeys {
    return new OriginKeys(this.origin, { ...this.#file, flags: this.#file.flags & ~MIGRATING });
  }

  /** With one more data key, which is the active one. @throws HoldfastError `encryption-unsupported` beyond 255 */
  withNewKey(): OriginKeys {
    if (this.#file.keys.size >= MOST_KEYS) throw new HoldfastError('encryption-unsupported', `${this.origin} has ${this.ids.length} data keys, and can have no more: its keys were not changed.`);
    const active = Math.max(...this.ids) + 1;
    const keys = new Map([...this.#file.keys, [active, secretOf(entropy(KEY_BYTES))]]);
    return new OriginKeys(this.origin, { ...this.#file, active, keys });
  }

  /** Without any data keys but the active one and these. */
  only(ids: ReadonlySet<number>): OriginKeys {
    const keys = new Map([...this.#file.keys].filter(([id]) => id === NAMES_ID || id === this.activeId || ids.has(id)));
    return new OriginKeys(this.origin, { ...this.#file, keys });
  }

  /** With what another root key was wrapped to by a KMS, or its names in a store. */
  withKms(kms: Uint8Array, isStored = false): OriginKeys {
    const flags = (this.#file.flags & ~STORED) | (isStored ? STORED : 0);
    return new OriginKeys(this.origin, { ...this.#file, flags, kms });
  }

  has(keyId: number): boolean {
    return keyId !== NAMES_ID && this.#file.keys.has(keyId);
  }

  #key(keyId: number, path?: string): KeyObject {
    const key = keyId === NAMES_ID ? undefined : this.#file.keys.get(keyId);
    if (key !== undefined) return key;
    throw new HoldfastError('key-missing', `${this.origin} has no data key ${keyId}${path === undefined ? '' : `, which ${path} asks for`}.`);
  }

  /**
   * The cipher of one generation of a journal.
   *
   * @param magic - 16 bytes, the generation's own
   * @param purpose - which journal of the origin: its bucket and its name, as `default/local-storage`
   * @param path - for messages
   * @throws HoldfastError `key-missing` for an id that is not there
   */
  journalCipher(keyId: number, magic: Uint8Array, purpose: string, path: string): JournalCipher {
    return new SivJournalCipher(this.#key(keyId, path), magic, purpose, path);
  }

  /**
   * The key of one file, for AES-256-GCM.
   *
   * @param salt - {@link FILE_SALT_BYTES} random bytes, the file's own
   * @throws HoldfastError `key-missing` for an id that is not there
   */
  fileKey(keyId: number, salt: Uint8Array): KeyObject {
    const name = `${keyId} ${Buffer.from(salt).toString('latin1')}`;
    const key = this.#fileKeys.get(name) ?? deriveKey(this.#key(keyId), salt, purposeOf('file'));
    this.#fileKeys.delete(name);
    this.#fileKeys.set(name, key);
    if (this.#fileKeys.size > KEPT_FILES) this.#forgetOldest();
    return key;
  }

  #forgetOldest(): void {
    for (const oldest of this.#fileKeys.keys()) {
      this.#fileKeys.delete(oldest);
      return;
    }
  }

  /** What names of files of a bucket are encrypted with, for as long as the origin lives. */
  namesCipher(bucket: string): AesSiv {
    return sivOf(this.#namesKey, purposeOf('names', bucket));
  }

  get #namesKey(): KeyObject {
    const names = this.#file.keys.get(NAMES_ID);
    if (names === undefined) throw new HoldfastError('key-missing', `${this.origin} has no key for names.`);
    return names;
  }

  /**
   * What everything in a log of a hub is encrypted with.
   *
   * @param log - which one, by a name that the hub does not see
   * @throws HoldfastError `key-missing` for an id that is not there
   */
  logCipher(keyId: number, log: string): AesSiv {
    return sivOf(this.#key(keyId), purposeOf('hub-log', log));
  }

  /** What a log is called in a hub, for as long as these keys are replaced by their successors only. In hexadecimal. */
  logName(log: string): string {
    return hkdf(this.#namesKey, NO_SALT, purposeOf('hub-log-name', log), LOG_NAME_BYTES).toString('hex');
  }

  /** A code by which whoever has any of the successors of these keys knows that bytes are of one who had them. */
  codeOf(bytes: Uint8Array): Buffer {
    const key = hkdf(this.#namesKey, NO_SALT, purposeOf('hub-keys'), KEY_BYTES);
    const code = createHmac('sha256', key).update(bytes).digest();
    key.fill(0);
    return code;
  }

  /** What stands in the place of a file whose content is in a hub: version, id of the key, and what is encrypted. */
  sealStub(plain: Uint8Array): Uint8Array {
    const bytes = new Uint8Array(STUB_HEAD_BYTES + SIV_BYTES + plain.length);
    bytes[0] = STUB_VERSION;
    new DataView(bytes.buffer).setUint32(1, this.activeId, true);
    this.#stubCipher(this.activeId).seal(plain, bytes, STUB_HEAD_BYTES, [bytes.subarray(0, STUB_HEAD_BYTES)]);
    return bytes;
  }

  /** `allowsPlain`: as `PlaceKeys`. Null: it was not sealed so, with any of these keys. */
  openStub(bytes: Uint8Array, allowsPlain = this.isMigrating): Uint8Array | null {
    const id = stubKeyOf(bytes);
    if (id === null && allowsPlain && this.isMigrating && isPlainStub(bytes)) return bytes;
    if (id === null || !this.has(id)) return null;
    const plain = new Uint8Array(bytes.length - STUB_HEAD_BYTES - SIV_BYTES);
    return this.#stubCipher(id).open(bytes.subarray(STUB_HEAD_BYTES), plain, [bytes.subarray(0, STUB_HEAD_BYTES)]) ? plain : null;
  }

  /** The same under the active key; null: it is, or nothing opens it. */
  resealStub(bytes: Uint8Array): Uint8Array | null {
    const plain = stubKeyOf(bytes) === this.activeId ? null : this.openStub(bytes);
    return plain === null ? null : this.sealStub(plain);
  }

  #stubCipher(keyId: number): AesSiv {
    return sivOf(this.#key(keyId), purposeOf('stub'));
  }

  /** Shows which keys there are, and nothing of them. */
  toJSON(): object {
    return { origin: this.origin, activeId: this.activeId, ids: this.ids };
  }
}

function sivOf(secret: KeyObject, purpose: Uint8Array): AesSiv {
  const key = hkdf(secret, NO_SALT, purpose, 2 * KEY_BYTES);
  const cipher = new AesSiv(key);
  key.fill(0);
  return cipher;
}
